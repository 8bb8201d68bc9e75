namespace Espalier.Evaluation;

/// <summary>The middle of a set of measurements: other programs on the machine make some of them slow, and a mean would report those.</summary>
internal static class Median
{
    /// <summary>The median, or NaN of nothing.</summary>
    public static double Of(IReadOnlyCollection<double> values)
    {
        if (values.Count == 0)
        {
            return double.NaN;
        }

        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
