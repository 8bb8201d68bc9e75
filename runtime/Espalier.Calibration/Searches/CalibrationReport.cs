using System.Globalization;
using Espalier.Evaluation;

namespace Espalier.Calibration;

/// <summary>What a calibration measured by layer, as a table, a picture and a file.</summary>
/// <param name="Title">What was measured.</param>
/// <param name="Table">A row a layer.</param>
/// <param name="Caption">How it was measured, in sentences.</param>
/// <param name="Chart">The same as SVG.</param>
/// <param name="Declaration">The result as C#.</param>
internal sealed record CalibrationReport(string Title, ReportTable Table, string Caption, string Chart, string Declaration)
{
    /// <summary>Layer contribution.</summary>
    public static CalibrationReport Of(LayerContribution measured, int layers, string className, LayerMethod method = LayerMethod.ShortV)
    {
        bool text = measured.Text.Count > 0;
        string done = method == LayerMethod.ShortV ? "frozen" : "less work";
        var table = new ReportTable(
            text ? ["layer", done, "visual tokens, nats", "rank", "text tokens, nats"] : ["layer", done, "visual tokens, nats", "rank"],
            2,
            [
                .. measured.Visual.Select((value, layer) =>
                {
                    int rank = measured.Ranking.ToList().IndexOf(layer);
                    return (IReadOnlyList<string>)[Number(layer), rank < layers ? "yes" : "", Nats(value), Number(rank + 1), .. text ? [Nats(measured.Text[layer])] : Array.Empty<string>()];
                }),
            ]);
        (string, IReadOnlyList<double>)[] series = text ? [("visual tokens", measured.Visual), ("text tokens", measured.Text)] : [("visual tokens", measured.Visual)];
        return new CalibrationReport(
            "Layer contribution",
            table,
            $"Divergence of the next token from the dense model's when tokens pass a layer unchanged (ShortV, arXiv 2504.00502), mean over {Number(measured.Samples)} samples. {(method == LayerMethod.ShortV
                ? $"The {Number(layers)} layers that contribute least to visual tokens are frozen."
                : $"In the {Number(layers)} layers that contribute least to visual tokens these do less (RedundancyLens, arXiv 2501.19036, whose own ranking, a greedy search, is not published in full).")}",
            LayerChart.Draw("Layer contribution", "nats", 0, series, threshold: null),
            measured.ToDeclaration(layers, className, method));
    }

    /// <summary>VTW's search.</summary>
    public static CalibrationReport Of(WithdrawalSearch search, string className) => new(
        "Withdrawal of visual tokens",
        new ReportTable(
            ["withdrawn before layer", "chosen", "divergence, nats"],
            2,
            [.. search.Divergences.Select((value, i) => (IReadOnlyList<string>)[Number(search.FirstLayer + i), search.FirstLayer + i == search.K ? "yes" : "", Nats(value)])]),
        $"Divergence of the next token from the dense model's when all visual tokens leave (VTW, arXiv 2405.05803), mean over {Number(search.Samples)} samples. K is the first layer at or below {Nats(search.Threshold)}{(search.K is null ? ": there is none" : "")}.",
        LayerChart.Draw("Withdrawal before each layer", "nats", search.FirstLayer, [("divergence", search.Divergences)], search.Threshold),
        search.ToDeclaration(className));

    /// <summary>YOPO's heads.</summary>
    public static CalibrationReport Of(HeadSearch search, string className)
    {
        double[][] medians = [.. search.Ratios.Select(static heads => heads.Select(static samples => Median.Of([.. samples])).ToArray())];
        return new CalibrationReport(
            "Attention to visual tokens, by head",
            new ReportTable(
                ["layer", "heads dropped", "of", "lowest ratio", "median ratio", "highest ratio"],
                2,
                [.. medians.Select((heads, layer) => (IReadOnlyList<string>)[Number(layer), string.Join(' ', search.Dropped[layer].Select(Number)), Number(heads.Length), Nats(heads.Min()), Nats(Median.Of(heads)), Nats(heads.Max())])]),
            $"Attention of the text behind the image to visual tokens over that to text (YOPO, arXiv 2410.06169): each head's median over {Number(search.Samples)} samples. Dropped is a head that is above {Nats(search.Threshold)} in no more than two fifths of them; layers 0 and 1 keep all, and the last layer does not matter.{(search.Divergence is { } moved ? $" Without these heads the next token moves by {Nats(moved)} nats." : "")}",
            LayerChart.Draw("Attention to visual tokens", "ratio", 0, [("highest head", [.. medians.Select(Enumerable.Max)]), ("median head", [.. medians.Select(static heads => Median.Of(heads))]), ("lowest head", [.. medians.Select(Enumerable.Min)])], search.Threshold),
            search.ToDeclaration(className));
    }

    /// <summary>A schedule.</summary>
    public static CalibrationReport Of(KeepSchedule schedule, string title, string className) => new(
        title,
        new ReportTable(["layer", "visual tokens", "of all"], 1, [.. schedule.Counts.Select((count, layer) => (IReadOnlyList<string>)[Number(layer), Number(count), ReportTable.Share((double)count / schedule.VisualTokens)])]),
        schedule.Found + " The published formulas were not available beyond the abstract of arXiv 2412.00556; the page of the method names what was chosen.",
        LayerChart.Draw(title, "visual tokens", 0, [("visual tokens", [.. schedule.Counts.Select(static count => (double)count)])], threshold: null),
        schedule.ToDeclaration(className));

    /// <summary>The whole report as Markdown; lines end with a line feed.</summary>
    /// <param name="chart">The picture's file.</param>
    public string ToMarkdown(string chart) => $"# {Title}\n\n{Table.ToMarkdown()}\n{Caption}\n\n![{Title}]({chart})\n\n```csharp\n{Declaration}```\n";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Nats(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
}
