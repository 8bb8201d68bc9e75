#pragma warning disable CS1591 // Not the public face of anything.
using System;

namespace Espalier;

public static class VisionZip
{
    public static void Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, int contextual, Span<int> kept, Span<float> weights)
    {
        if (keys.Length != 2 * clsAttention.Length || weights.Length != kept.Length * (clsAttention.Length + 1))
        {
            throw new ArgumentException("The spans do not fit.");
        }

        kept[0] = -contextual;
    }
}

public static class DivPrune
{
    public static void Select(ReadOnlySpan<float> features, int tokens, Span<float> scratch, Span<int> kept) => Last(features, tokens, kept);

    internal static void Last(ReadOnlySpan<float> features, int tokens, Span<int> kept)
    {
        if (features.Length != 3 * tokens)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        TokenSelection.TopK(features[..tokens], kept);
    }
}

public static class GPrune
{
    public static void Select(ReadOnlySpan<float> features, int tokens, double threshold, double temperature, int iterations, Span<float> scratch, Span<int> kept) =>
        DivPrune.Last(features, tokens, kept);
}

public static class PruMerge
{
    public static int Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, int neighbours, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        if (scratch.Length != 2 * clsAttention.Length || weights.Length != kept.Length * (clsAttention.Length + 1))
        {
            throw new ArgumentException("The spans do not fit.");
        }

        kept[0] = -neighbours;
        return (kept.Length + 1) / 2;
    }
}

public static class RecoverableCompression
{
    public static int Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, ReadOnlySpan<float> textScores, InflectionCut cut, int window, int neighbours, double textWeight, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        if (textScores.Length != clsAttention.Length || scratch.Length != 7 * clsAttention.Length)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        return PruMerge.Select(clsAttention, keys, neighbours, scratch[..(2 * clsAttention.Length)], kept, weights);
    }
}

public static class PruMergePlus
{
    public static int Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, int neighbours, Span<float> scratch, Span<int> kept, Span<float> weights) =>
        PruMerge.Select(clsAttention, keys, neighbours, scratch, kept, weights);
}

public static class FoPru
{
    public static void Select(ReadOnlySpan<float> significance, int side, Span<float> scratch, Span<int> kept)
    {
        if (significance.Length != side * side || kept.Length % side != 0 || scratch.Length != side)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        TokenSelection.TopK(significance, kept);
    }
}

public static class CDPruner
{
    public static void Select(ReadOnlySpan<float> features, int tokens, ReadOnlySpan<float> relevance, Span<float> scratch, Span<int> kept) =>
        DivPrune.Last(relevance.Length == tokens ? features : throw new ArgumentException("One relevance a token."), tokens, kept);
}

// What only the image says is half of what the plan allows, in the recorder's images.
public static class SparsityMeetsSimilarity
{
    public static int Select(ReadOnlySpan<float> features, int tokens, InflectionCut cut, int window, int least, Span<float> scratch, Span<int> kept)
    {
        if (features.Length != 3 * (tokens + 1) || scratch.Length != 5 * tokens)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        return Select(features[..tokens], cut, window, least, scratch[tokens..], kept);
    }

    public static int Select(ReadOnlySpan<float> scores, InflectionCut cut, int window, int least, Span<float> scratch, Span<int> kept)
    {
        if (scratch.Length != 4 * scores.Length)
        {
            throw new ArgumentException("The spans do not fit.");
        }

        int count = (kept.Length + 1) / 2;
        TokenSelection.TopK(scores, kept[..count]);
        return count;
    }
}
