using System.Diagnostics;

namespace Espalier;

/// <summary>Where the head of a curve of sorted scores ends, so that the number of tokens that stay depends on the image.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the earlier place. Thread-safe. Definitions: generator/docs/methods/SparsityMeetsSimilarity.md.</remarks>
internal static class Inflection
{
    /// <summary>Floats of scratch for each score.</summary>
    public const int ScratchPerScore = 4;

    /// <summary>How many of the scores lie in the head of the curve: from none, which only local outliers can give, to all. A curve without any slope has no tail.</summary>
    /// <param name="scores">The scores, in any order; at least one.</param>
    /// <param name="cut">The rule.</param>
    /// <param name="window">Scores in the moving average of the second difference.</param>
    /// <param name="scratch"><see cref="ScratchPerScore"/> floats a score.</param>
    public static int Count(ReadOnlySpan<float> scores, InflectionCut cut, int window, Span<float> scratch)
    {
        int count = scores.Length;
        Span<float> sorted = scratch[..count];
        Span<float> spare = scratch[count..];
        SortedScores.Descending(scores, sorted, spare);
        if (count < 3 || !(sorted[0] > sorted[^1]))
        {
            return count;
        }

        return cut switch
        {
            InflectionCut.Chord => 1 + FarthestBelowChord(sorted),
            InflectionCut.SecondDifference => 1 + SharpestBend(sorted, window, spare[..count]),
            InflectionCut.MaxDerivative => 1 + LargestStep(sorted),
            InflectionCut.LocalOutlier => LocalOutliers.Count(sorted, spare),
            _ => throw new UnreachableException($"Unknown cut {cut}."),
        };
    }

    private static int FarthestBelowChord(ReadOnlySpan<float> sorted)
    {
        float lowest = sorted[^1];
        float range = sorted[0] - lowest;
        float width = sorted.Length - 1;
        int farthest = 0;
        float most = float.NegativeInfinity;
        for (int i = 0; i < sorted.Length; i++)
        {
            float below = 1 - (i / width) - ((sorted[i] - lowest) / range);
            if (below > most)
            {
                most = below;
                farthest = i;
            }
        }

        return farthest;
    }

    private static int LargestStep(ReadOnlySpan<float> sorted)
    {
        int largest = 0;
        for (int i = 1; i < sorted.Length - 1; i++)
        {
            if (sorted[i] - sorted[i + 1] > sorted[largest] - sorted[largest + 1])
            {
                largest = i;
            }
        }

        return largest;
    }

    private static int SharpestBend(ReadOnlySpan<float> sorted, int window, Span<float> smooth)
    {
        // At the ends the average is over the scores that there are.
        for (int i = 0; i < sorted.Length; i++)
        {
            int first = Math.Max(0, i - (window / 2));
            int last = Math.Min(sorted.Length - 1, i + (window / 2));
            float sum = 0;
            for (int other = first; other <= last; other++)
            {
                sum += sorted[other];
            }

            smooth[i] = sum / (last - first + 1);
        }

        int sharpest = 1;
        float most = float.NegativeInfinity;
        for (int i = 1; i < smooth.Length - 1; i++)
        {
            float bend = smooth[i - 1] - (2 * smooth[i]) + smooth[i + 1];
            if (bend > most)
            {
                most = bend;
                sharpest = i;
            }
        }

        return sharpest;
    }
}
