namespace Espalier;

/// <summary>Scores above the upper quartile by more than one and a half times the distance of the quartiles (Tukey's fence).</summary>
/// <remarks>Pure arithmetic in fp32, no allocation. Thread-safe.</remarks>
internal static class QuartileOutliers
{
    private const float Fence = 1.5f;

    /// <summary>The threshold: <c>Q3 + 1.5 (Q3 − Q1)</c>, quartiles with linear interpolation.</summary>
    /// <param name="scores">The scores; at least one.</param>
    /// <param name="scratch">Two floats a score.</param>
    public static float Threshold(ReadOnlySpan<float> scores, Span<float> scratch)
    {
        Span<float> sorted = scratch[..scores.Length];
        SortedScores.Descending(scores, sorted, scratch[scores.Length..]);
        float upper = SortedScores.Quantile(sorted, 0.75);
        return upper + (Fence * (upper - SortedScores.Quantile(sorted, 0.25)));
    }

    /// <summary>How many scores are above the threshold: about a quarter of them at most.</summary>
    public static int Count(ReadOnlySpan<float> scores, Span<float> scratch)
    {
        float threshold = Threshold(scores, scratch);
        int count = 0;
        foreach (float score in scores)
        {
            count += score > threshold ? 1 : 0;
        }

        return count;
    }
}
