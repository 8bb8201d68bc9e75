using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace Espalier.Vision;

/// <summary>The two passes of a separable resize. Each rounds to 8 bits, as PIL does; results do not depend on the width of the machine's vectors, because all sums are integers.</summary>
internal static class ResamplePass
{
    /// <summary>How many bytes a row given to <see cref="Horizontal"/> must have behind its last pixel: pixels are read four bytes at a time.</summary>
    public const int RowSlack = 1;

    private const int Half = 1 << (ResampleWeights.FractionBits - 1);

    /// <summary>Resamples one row of RGB pixels.</summary>
    /// <param name="row">The input pixels, followed by <see cref="RowSlack"/> bytes of any value.</param>
    /// <param name="weights">The weights along the row.</param>
    /// <param name="destination">Receives <c>weights.Count</c> pixels.</param>
    public static void Horizontal(ReadOnlySpan<byte> row, in ResampleWeights weights, Span<byte> destination)
    {
        for (int x = 0; x < weights.Count; x++)
        {
            ReadOnlySpan<byte> pixels = row[(weights.Start(x) * RgbImage.Channels)..];
            ReadOnlySpan<int> taps = weights.Taps(x);

            // One lane a channel; the fourth lane sees the next pixel's red and is dropped.
            Vector128<int> sum = Vector128.Create(Half);
            for (int tap = 0; tap < taps.Length; tap++)
            {
                uint pixel = BinaryPrimitives.ReadUInt32LittleEndian(pixels[(tap * RgbImage.Channels)..]);
                Vector128<int> samples = Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(pixel).AsByte())).AsInt32();
                sum += samples * taps[tap];
            }

            sum = ToByteRange(sum);
            Span<byte> target = destination.Slice(x * RgbImage.Channels, RgbImage.Channels);
            target[0] = (byte)sum[0];
            target[1] = (byte)sum[1];
            target[2] = (byte)sum[2];
        }
    }

    /// <summary>Computes one output row as the weighted sum of input rows.</summary>
    /// <param name="rows">The input rows that the taps refer to, each as long as <paramref name="destination"/>.</param>
    /// <param name="taps">One weight for each row.</param>
    /// <param name="destination">Receives one row.</param>
    public static void Vertical(ReadOnlySpan<byte> rows, ReadOnlySpan<int> taps, Span<byte> destination)
    {
        int length = destination.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(rows.Length, taps.Length * length);

        int column = 0;
        for (; column <= length - Vector128<byte>.Count; column += Vector128<byte>.Count)
        {
            Vector128<int> a = Vector128.Create(Half), b = a, c = a, d = a;
            for (int tap = 0; tap < taps.Length; tap++)
            {
                Vector128<byte> samples = Vector128.Create(rows.Slice((tap * length) + column, Vector128<byte>.Count));
                (Vector128<ushort> lower, Vector128<ushort> upper) = Vector128.Widen(samples);
                int weight = taps[tap];
                a += Vector128.WidenLower(lower).AsInt32() * weight;
                b += Vector128.WidenUpper(lower).AsInt32() * weight;
                c += Vector128.WidenLower(upper).AsInt32() * weight;
                d += Vector128.WidenUpper(upper).AsInt32() * weight;
            }

            Vector128<short> first = Vector128.Narrow(ToByteRange(a), ToByteRange(b));
            Vector128<short> second = Vector128.Narrow(ToByteRange(c), ToByteRange(d));
            Vector128.Narrow(first.AsUInt16(), second.AsUInt16()).CopyTo(destination[column..]);
        }

        for (; column < length; column++)
        {
            int sum = Half;
            for (int tap = 0; tap < taps.Length; tap++)
            {
                sum += rows[(tap * length) + column] * taps[tap];
            }

            destination[column] = (byte)Math.Clamp(sum >> ResampleWeights.FractionBits, byte.MinValue, byte.MaxValue);
        }
    }

    private static Vector128<int> ToByteRange(Vector128<int> sum)
        => Vector128.Min(Vector128.Max(sum >> ResampleWeights.FractionBits, Vector128<int>.Zero), Vector128.Create((int)byte.MaxValue));
}
