#pragma warning disable CS1591 // Not the public face of anything.
using System;

namespace Espalier;

public static class FiCoCoV
{
    public static void Select(ReadOnlySpan<float> map, ReadOnlySpan<int> tokens, int grid, FiCoCoMode mode, FiCoCoRedundancy redundancy, double lambda, double epsilon, int window, double coefficient, Span<float> scratch, RowMerge merge)
    {
        if (map.Length != (tokens.Length + 1) * (tokens.Length + 1) || scratch.Length < 3 * tokens.Length)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        merge.Kept[0] = grid;
    }
}

public static class ToMe
{
    public static void Select(ReadOnlySpan<float> keys, Span<float> sizes, Span<float> scratch, RowMerge merge)
    {
        if (keys.Length != 2 * sizes.Length || scratch.Length < 3 * (sizes.Length + 1))
        {
            throw new ArgumentException("The spans do not fit.");
        }

        merge.Kept[0] = -1;
    }
}

public static class Elip
{
    public static void Select(ReadOnlySpan<float> clsAttention, RowMerge merge)
    {
        if (merge.Kept.Length >= clsAttention.Length)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        merge.Kept[0] = clsAttention.Length;
    }
}
