namespace Espalier;

/// <summary>Local outlier factor of numbers on a line (Breunig et al., SIGMOD 2000), with the constants that the authors of Recoverable Compression leave to scikit-learn: 10 neighbours, outliers above 1.5.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation. Of two neighbours equally far, the higher score is taken. Thread-safe.</remarks>
internal static class LocalOutliers
{
    private const int Neighbours = 10;
    private const float Threshold = 1.5f;

    // What scikit-learn adds to a mean distance, so that equal scores have a density.
    private const float Least = 1e-10f;

    /// <summary>How many of the scores are local outliers.</summary>
    /// <param name="descending">The scores from the highest to the lowest.</param>
    /// <param name="scratch">Two floats a score.</param>
    public static int Count(ReadOnlySpan<float> descending, Span<float> scratch)
    {
        int count = descending.Length;
        Span<float> reach = scratch[..count];
        Span<float> density = scratch.Slice(count, count);
        for (int i = 0; i < count; i++)
        {
            (int first, int last) = Nearest(descending, i);
            reach[i] = Math.Max(descending[first] - descending[i], descending[i] - descending[last]);
        }

        for (int i = 0; i < count; i++)
        {
            (int first, int last) = Nearest(descending, i);
            float sum = 0;
            for (int other = first; other <= last; other++)
            {
                sum += other == i ? 0 : Math.Max(reach[other], Math.Abs(descending[i] - descending[other]));
            }

            density[i] = 1 / ((sum / Math.Max(1, last - first)) + Least);
        }

        int outliers = 0;
        for (int i = 0; i < count; i++)
        {
            (int first, int last) = Nearest(descending, i);
            float sum = 0;
            for (int other = first; other <= last; other++)
            {
                sum += other == i ? 0 : density[other];
            }

            outliers += sum / Math.Max(1, last - first) > Threshold * density[i] ? 1 : 0;
        }

        return outliers;
    }

    /// <summary>The run of scores that holds a score and its nearest neighbours.</summary>
    private static (int First, int Last) Nearest(ReadOnlySpan<float> descending, int index)
    {
        int first = index;
        int last = index;
        int wanted = Math.Min(Neighbours, descending.Length - 1);
        while (last - first < wanted)
        {
            bool up = last == descending.Length - 1 || (first > 0 && descending[first - 1] - descending[index] <= descending[index] - descending[last + 1]);
            if (up)
            {
                first--;
            }
            else
            {
                last++;
            }
        }

        return (first, last);
    }
}
