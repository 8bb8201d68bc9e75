namespace Espalier;

/// <summary>SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): 64 bits of state, the same numbers on every machine and .NET version, which System.Random does not promise.</summary>
/// <remarks>A mutable value: pass it by reference. Not thread-safe.</remarks>
/// <param name="seed">Any number.</param>
internal struct SplitMix64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number in [0, 1), of the upper 53 bits.</summary>
    public double NextUnit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>An integer in [0, <paramref name="bound"/>): the upper half of the 128-bit product with the next number, so no number is preferred by more than bound / 2^64.</summary>
    /// <param name="bound">Above 0.</param>
    public int NextBelow(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);
}
