using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>The cuts of sorted scores, told a second time in doubles, by sorting and without scratch.</summary>
internal static class NaiveInflection
{
    public static int[] Select(Step step, double[] scores)
    {
        int least = Math.Max(1, (int)step.Kernel!.Arguments.Single(static argument => argument.Name == "least").Value);
        return NaiveKernels.Highest(scores, Math.Min(step.TokensAfter, Math.Max(Head(step, scores), least)));
    }

    /// <summary>How many scores lie before the cut of a step.</summary>
    public static int Head(Step step, double[] scores)
    {
        double Number(string name) => step.Kernel!.Arguments.Single(argument => argument.Name == name).Value;
        double[] sorted = [.. scores.OrderDescending()];
        return sorted.Length < 3 || sorted[0] <= sorted[^1] ? sorted.Length : step.Kernel!.Arguments.Single(static argument => argument.Name == "cut").Member switch
        {
            "InflectionCut.Chord" => 1 + Best(sorted.Select((y, i) => 1 - (i / (sorted.Length - 1.0)) - ((y - sorted[^1]) / (sorted[0] - sorted[^1])))),
            "InflectionCut.SecondDifference" => 2 + Best(Bends(sorted, (int)Number("window"))),
            "InflectionCut.MaxDerivative" => 1 + Best(sorted.Zip(sorted.Skip(1), static (high, low) => high - low)),
            _ => Outliers(sorted),
        };
    }

    private static int Best(IEnumerable<double> values) => values.Select(static (value, place) => (value, place)).MaxBy(static pair => pair.value).place;

    private static IEnumerable<double> Bends(double[] sorted, int window)
    {
        double[] smooth = [.. sorted.Select((_, i) => sorted.Where((_, other) => Math.Abs(other - i) <= window / 2).Average())];
        return Enumerable.Range(1, smooth.Length - 2).Select(i => smooth[i - 1] - (2 * smooth[i]) + smooth[i + 1]);
    }

    private static int Outliers(double[] sorted)
    {
        int[][] near = [.. sorted.Select((y, i) => Enumerable.Range(0, sorted.Length).Where(other => other != i).OrderBy(other => Math.Abs(sorted[other] - y)).ThenBy(other => other > i).ThenBy(other => Math.Abs(other - i)).Take(10).ToArray())];
        double[] reach = [.. near.Select((others, i) => others.Max(other => Math.Abs(sorted[other] - sorted[i])))];
        double[] density = [.. near.Select((others, i) => 1 / (others.Average(other => Math.Max(reach[other], Math.Abs(sorted[other] - sorted[i]))) + 1e-10))];
        return near.Where((others, i) => others.Average(other => density[other]) > 1.5 * density[i]).Count();
    }
}
