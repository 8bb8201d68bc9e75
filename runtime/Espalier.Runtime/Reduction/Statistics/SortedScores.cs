namespace Espalier;

/// <summary>Scores in order, and what is read off them.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation. Thread-safe.</remarks>
internal static class SortedScores
{
    /// <summary>Writes the scores from the highest to the lowest; NaN comes last.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="sorted">Receives them.</param>
    /// <param name="spare">As many floats, overwritten.</param>
    public static void Descending(ReadOnlySpan<float> scores, Span<float> sorted, Span<float> spare)
    {
        scores.CopyTo(sorted);

        // With keys and items: sorting keys alone allocates under NativeAOT.
        sorted.Sort(spare[..sorted.Length]);
        sorted.Reverse();
    }

    /// <summary>The quantile with linear interpolation, as NumPy's percentile has it by default.</summary>
    /// <param name="descending">The scores from the highest to the lowest; at least one.</param>
    /// <param name="share">0 is the lowest, 1 the highest.</param>
    public static float Quantile(ReadOnlySpan<float> descending, double share)
    {
        double place = share * (descending.Length - 1);
        int below = (int)Math.Floor(place);
        float low = descending[descending.Length - 1 - below];
        float high = descending[Math.Max(0, descending.Length - 2 - below)];
        return low + ((high - low) * (float)(place - below));
    }
}
