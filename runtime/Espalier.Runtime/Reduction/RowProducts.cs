using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Espalier;

/// <summary>Scalar products of one row with many, for methods that compare each token with each: several at a time, so that the row is read once for all of them.</summary>
/// <remarks>Each product is summed up in the same order of the same fused operations whatever stands beside it and however wide the processor's vectors are, so it has the same bits everywhere. Thread-safe.</remarks>
internal static class RowProducts
{
    /// <summary>How many rows may be the others of all rows in turn: at a tower's widths they stay in a processor's second cache meanwhile.</summary>
    public const int Block = 32;

    /// <summary>Multiplies a row with others.</summary>
    /// <param name="row">The row; its length is the width.</param>
    /// <param name="others">The others.</param>
    /// <param name="stride">From the first element of one of them to the first of the next.</param>
    /// <param name="products">Receives a product for each; its length is their number.</param>
    /// <exception cref="ArgumentException">There are not that many others.</exception>
    public static void Multiply(ReadOnlySpan<float> row, ReadOnlySpan<float> others, int stride, Span<float> products)
    {
        if (products.IsEmpty)
        {
            return;
        }

        if (stride < row.Length || others.Length < ((long)(products.Length - 1) * stride) + row.Length)
        {
            throw new ArgumentException($"{others.Length} elements are not {products.Length} rows of {row.Length}, {stride} apart.", nameof(others));
        }

        ref float one = ref MemoryMarshal.GetReference(row);
        ref float next = ref MemoryMarshal.GetReference(others);
        int other = 0;
        for (; other + 4 <= products.Length; other += 4)
        {
            Four(ref one, ref Unsafe.Add(ref next, (nint)other * stride), row.Length, stride, products.Slice(other, 4));
        }

        for (; other < products.Length; other++)
        {
            products[other] = One(ref one, ref Unsafe.Add(ref next, (nint)other * stride), row.Length);
        }
    }

    private static void Four(ref float row, ref float others, int width, nint stride, Span<float> products)
    {
        Vector512<float> first = default;
        Vector512<float> second = default;
        Vector512<float> third = default;
        Vector512<float> fourth = default;
        int whole = width - (width % Vector512<float>.Count);
        for (int i = 0; i < whole; i += Vector512<float>.Count)
        {
            Vector512<float> values = Vector512.LoadUnsafe(ref row, (nuint)i);
            first = Vector512.FusedMultiplyAdd(values, Vector512.LoadUnsafe(ref others, (nuint)i), first);
            second = Vector512.FusedMultiplyAdd(values, Vector512.LoadUnsafe(ref others, (nuint)(stride + i)), second);
            third = Vector512.FusedMultiplyAdd(values, Vector512.LoadUnsafe(ref others, (nuint)((2 * stride) + i)), third);
            fourth = Vector512.FusedMultiplyAdd(values, Vector512.LoadUnsafe(ref others, (nuint)((3 * stride) + i)), fourth);
        }

        products[0] = Rest(ref row, ref others, whole, width, Sum(first));
        products[1] = Rest(ref row, ref Unsafe.Add(ref others, stride), whole, width, Sum(second));
        products[2] = Rest(ref row, ref Unsafe.Add(ref others, 2 * stride), whole, width, Sum(third));
        products[3] = Rest(ref row, ref Unsafe.Add(ref others, 3 * stride), whole, width, Sum(fourth));
    }

    private static float One(ref float row, ref float other, int width)
    {
        Vector512<float> sum = default;
        int whole = width - (width % Vector512<float>.Count);
        for (int i = 0; i < whole; i += Vector512<float>.Count)
        {
            sum = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref row, (nuint)i), Vector512.LoadUnsafe(ref other, (nuint)i), sum);
        }

        return Rest(ref row, ref other, whole, width, Sum(sum));
    }

    /// <summary>The elements behind the last whole vector.</summary>
    private static float Rest(ref float row, ref float other, int from, int width, float sum)
    {
        for (int i = from; i < width; i++)
        {
            sum = MathF.FusedMultiplyAdd(Unsafe.Add(ref row, i), Unsafe.Add(ref other, i), sum);
        }

        return sum;
    }

    /// <summary>Halves are added until one number is left: an order that is the same on every processor.</summary>
    private static float Sum(Vector512<float> vector)
    {
        Vector256<float> eight = vector.GetLower() + vector.GetUpper();
        Vector128<float> four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }
}
