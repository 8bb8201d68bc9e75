namespace Espalier.Benchmarks.Synthesis;

/// <summary>Normally distributed numbers that depend on a seed, a tensor's name and an index alone, so that tensors may be filled in any order and by any number of threads.</summary>
/// <remarks>Box and Muller's method in double precision. Thread-safe. The same machine and .NET version give the same bits; another C library may round a logarithm differently.</remarks>
internal sealed class NormalSource(ulong seed, double deviation)
{
    /// <summary>Elements that share one start of the generator.</summary>
    private const int ChunkElements = 1 << 16;

    /// <summary>Fills <paramref name="destination"/> with the elements of a tensor from <paramref name="first"/> on.</summary>
    /// <param name="tensor">Name of the tensor.</param>
    /// <param name="first">Index of the first element; a multiple of <see cref="Alignment"/>.</param>
    /// <param name="destination">Receives the numbers.</param>
    public void Fill(string tensor, long first, Memory<float> destination)
    {
        ulong start = Mix(seed ^ Hash(tensor));
        int chunks = (destination.Length + ChunkElements - 1) / ChunkElements;
        Parallel.For(0, chunks, chunk =>
        {
            Memory<float> part = destination.Slice(chunk * ChunkElements, Math.Min(ChunkElements, destination.Length - (chunk * ChunkElements)));
            FillChunk(Mix(start + (ulong)((first / ChunkElements) + chunk)), part.Span);
        });
    }

    /// <summary>Where a <see cref="Fill"/> may begin.</summary>
    public static int Alignment => ChunkElements;

    private void FillChunk(ulong state, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i += 2)
        {
            // (0, 1], so that the logarithm is finite.
            double radius = deviation * Math.Sqrt(-2.0 * Math.Log(((Next(ref state) >> 11) + 1) * (1.0 / (1UL << 53))));
            var (sine, cosine) = Math.SinCos((Next(ref state) >> 11) * (2.0 * Math.PI / (1UL << 53)));
            destination[i] = (float)(radius * cosine);
            if (i + 1 < destination.Length)
            {
                destination[i + 1] = (float)(radius * sine);
            }
        }
    }

    // SplitMix64 (Steele, Lea, Flood 2014): System.Random's sequence is not promised across .NET versions.
    private static ulong Next(ref ulong state) => Mix(state += 0x9E3779B97F4A7C15);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    // FNV-1a: string.GetHashCode differs from process to process.
    private static ulong Hash(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return hash;
    }
}
