using System.Numerics.Tensors;

namespace Espalier;

/// <summary>Sparsity Meets Similarity (Yu et al., arXiv 2409.01162), first round: the patches most similar to the CLS token, up to the inflection of the sorted similarities.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/SparsityMeetsSimilarity.md.</remarks>
public static class SparsityMeetsSimilarity
{
    /// <summary>Chooses the patches by the cosine of their features with the CLS token's.</summary>
    /// <param name="features">What the tower emits, row by row: the CLS token, then the patches.</param>
    /// <param name="tokens">How many patches there are.</param>
    /// <param name="cut">Where the sorted similarities are cut.</param>
    /// <param name="window">Scores in the moving average of the second difference.</param>
    /// <param name="least">Patches that stay at least.</param>
    /// <param name="scratch">Five floats a patch.</param>
    /// <param name="kept">Receives the indices, ascending; its length is the upper bound.</param>
    /// <returns>How many patches stay.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static int Select(ReadOnlySpan<float> features, int tokens, InflectionCut cut, int window, int least, Span<float> scratch, Span<int> kept)
    {
        if (tokens <= 0 || features.IsEmpty || features.Length % (tokens + 1) != 0 || scratch.Length < (Inflection.ScratchPerScore + 1L) * tokens)
        {
            throw new ArgumentException($"{tokens} patches and a CLS token cannot be compared with {features.Length} elements and {scratch.Length} floats of scratch.", nameof(tokens));
        }

        int width = features.Length / (tokens + 1);
        ReadOnlySpan<float> cls = features[..width];
        float norm = TensorPrimitives.Norm(cls);
        Span<float> similarities = scratch[..tokens];
        for (int token = 0; token < tokens; token++)
        {
            ReadOnlySpan<float> patch = features.Slice((token + 1) * width, width);
            float product = norm * TensorPrimitives.Norm(patch);
            similarities[token] = product > 0 ? TensorPrimitives.Dot(cls, patch) / product : 0;
        }

        return Select(similarities, cut, window, least, scratch[tokens..], kept);
    }

    /// <summary>Chooses the patches by scores that are there already, the CLS token's attention for example.</summary>
    /// <param name="scores">One score a patch.</param>
    /// <param name="cut">Where the sorted scores are cut.</param>
    /// <param name="window">Scores in the moving average of the second difference.</param>
    /// <param name="least">Patches that stay at least.</param>
    /// <param name="scratch">Four floats a patch.</param>
    /// <param name="kept">Receives the indices, ascending; its length is the upper bound.</param>
    /// <returns>How many patches stay.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static int Select(ReadOnlySpan<float> scores, InflectionCut cut, int window, int least, Span<float> scratch, Span<int> kept)
    {
        if (scores.IsEmpty || kept.IsEmpty || kept.Length > scores.Length || scratch.Length < (long)Inflection.ScratchPerScore * scores.Length)
        {
            throw new ArgumentException($"At most {kept.Length} of {scores.Length} patches cannot be chosen with {scratch.Length} floats of scratch.", nameof(kept));
        }

        int head = Inflection.Count(scores, cut, window, scratch);
        int count = Math.Min(kept.Length, Math.Max(Math.Max(1, least), head));
        TokenSelection.TopK(scores, kept[..count]);
        return count;
    }
}
