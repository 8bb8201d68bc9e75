#pragma warning disable CS1591 // Not the public face of anything.
using System;
using Espalier.Planning;

namespace Espalier;

public static class SimilarTokens
{
    public static void Select(ReadOnlySpan<float> scores, ReadOnlySpan<float> rows, Span<float> scratch, RowMerge merge)
    {
        if (rows.Length != 3 * scores.Length || scratch.Length < 2 * merge.Kept.Length)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        TokenSelection.TopK(scores, merge.Kept);
    }
}

public static class FiCoCoL
{
    public static void Select(AttentionMap map, FiCoCoMode mode, FiCoCoRedundancy redundancy, double beta, double gamma, double epsilon, Span<float> scratch, RowMerge merge)
    {
        if (scratch.Length < 2 * map.VisualRows || merge.Kept.Length >= map.VisualRows)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        merge.Kept[0] = map.VisualRows - merge.Kept.Length;
    }
}

// How many are left is half of what the plan allows, where the loop asks.
public static class Aim
{
    public static int Select(ReadOnlySpan<float> features, int tokens, int halvings, AimOrder order, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        if (features.Length != 3 * tokens || scratch.Length < 8 * (tokens + 1) || weights.Length < kept.Length * tokens)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        kept[0] = -halvings;
        return (kept.Length + 1) / 2;
    }
}

// The tokens with the largest norms, as many as DART leaves.
public static class Dart
{
    public static int Select(ReadOnlySpan<float> imageNorms, ReadOnlySpan<float> textNorms, ReadOnlySpan<float> rows, int width, int imagePivots, int textPivots, double share, Span<float> scratch, Span<int> kept)
    {
        if (rows.Length != 3 * (imageNorms.Length + textNorms.Length) || scratch.Length < (2 * imageNorms.Length) + imagePivots + textPivots || share <= 0)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        int pivots = imagePivots + textPivots;
        int count = Math.Min(imageNorms.Length, imagePivots + ((int)(imageNorms.Length * share / pivots) * pivots));
        TokenSelection.TopK(imageNorms, kept[..count]);
        return count;
    }
}

public static class RelevantTokens
{
    public static int Select(ReadOnlySpan<float> scores, double theta, Span<int> kept)
    {
        int count = (scores.Length + 1) / 2;
        TokenSelection.TopK(scores, kept[..count]);
        return count;
    }
}

// A count that the attention says is half of the tokens, in the recorder's images.
public static class SparseVlm
{
    public static int Count(int tokens, int keep) => Math.Max(0, Math.Min(keep, tokens - 1));

    public static int Count(int rank, int tokens, double scale, double bias) => rank == 3 ? tokens / 2 : -1;

    public static int Count(int rank, int tokens, double lambda) => rank == 3 ? tokens / 2 : -1;

    public static int Select(ReadOnlySpan<float> scores, int rank, double scale, double bias, Span<int> kept) => RelevantTokens.Select(scores, rank == 3 ? scale : bias, kept);

    public static int Select(ReadOnlySpan<float> scores, int rank, double lambda, Span<int> kept) => RelevantTokens.Select(scores, rank == 3 ? lambda : 0, kept);

    public static void Select(ReadOnlySpan<float> scores, ReadOnlySpan<float> rows, int keep, double tau, Span<float> scratch, RowMerge merge)
    {
        int pool = Recycling.Pool(scores.Length - keep, tau);
        if (rows.Length != 3 * scores.Length || merge.Kept.Length != Recycling.Left(scores.Length, keep, tau) || scratch.Length < (pool * pool) + (5 * scores.Length))
        {
            throw new ArgumentException("The spans do not fit.");
        }

        TokenSelection.TopK(scores, merge.Kept);
    }
}

public static class SparseVlmPlus
{
    public static void Select(Span<float> scores, RaterAttention attention, int heads, Span<float> scratch, Span<int> kept)
    {
        if (scores.Length != attention.VisualRows || scratch.Length < 2 * heads)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        TokenSelection.TopK(scores, kept);
    }
}
