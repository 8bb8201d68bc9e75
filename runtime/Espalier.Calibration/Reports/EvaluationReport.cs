using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Espalier.Planning;

namespace Espalier.Evaluation;

/// <summary>The result of an evaluation as tables, as pictures, and as JSON.</summary>
internal sealed class EvaluationReport
{
    private readonly EvaluationRun _run;
    private readonly string[] _types;

    /// <summary>Reads a run; it may have ended early.</summary>
    public EvaluationReport(EvaluationRun run)
    {
        _run = run;
        _types = [.. run.Questions.Select(static question => question.Type).Where(static type => type.Length > 0).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Scores, and the first of them by type of question.</summary>
    /// <param name="separator">Put between the visual tokens of two segments.</param>
    public ReportTable Accuracy(string separator) => new(
        ["variant", "visual tokens", .. _run.Metrics.Select(metric => _run.Metrics.Count == 1 && metric == Metric.Exact ? "accuracy" : metric.Heading), .. _types],
        2,
        [
            .. _run.Scores.Select(score => (IReadOnlyList<string>)
            [
                score.Candidate.Name,
                score.Candidate.TokensBySegment(separator),
                .. _run.Metrics.Select((_, i) => ReportTable.Share(score.Mean(i))),
                .. _types.Select(type => ReportTable.Share(score.MeanOf(type))),
            ]),
        ]);

    /// <summary>Operations and times.</summary>
    public ReportTable Cost() => new(
        ["variant", "MFLOPs", "of dense", "vision ms", "prefill ms", "of dense", "realised / theory", "decode ms/token"],
        1,
        [
            .. _run.Scores.Select(score => (IReadOnlyList<string>)
            [
                score.Candidate.Name,
                AtMost(score) + ReportTable.Number(Flops(score) / 1e6, "F1"),
                AtMost(score) + ReportTable.Share(FlopsOfDense(score)),
                ReportTable.Number(score.Vision, "F2"),
                ReportTable.Number(score.Prefill, "F2"),
                ReportTable.Share(score.PrefillOfDense),
                ReportTable.Number(IsBound(score) ? double.NaN : ExecutedOfDense(score) / score.PrefillOfDense, "F2"),
                ReportTable.Number(score.DecodeStep, "F2"),
            ]),
        ]);

    /// <summary>What the tables hold for, in sentences.</summary>
    /// <param name="precision">The number format, as prose names it.</param>
    public string Caption(string precision) => string.Create(
        CultureInfo.InvariantCulture,
        $"{_run.Asked} of {_run.Questions.Count} questions; {Counts()} MFLOPs: the decoder's prefill in convention C with {_run.TextTokens} text tokens. Times: medians, variants in turns, {precision} on {Environment.ProcessorCount} logical CPUs ({RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.FrameworkDescription}); \"of dense\" is the median of each question's own ratio. Realised / theory: how much of the speed-up arrives that the operations promise which the loops run (of the last layer one row, in the dense model too).");

    /// <summary>The report as Markdown; lines end with a line feed.</summary>
    /// <param name="precision">The number format, as prose names it.</param>
    public string ToMarkdown(string precision) => Accuracy(" → ").ToMarkdown() + "\n" + Cost().ToMarkdown() + "\n" + Caption(precision) + "\n";

    /// <summary>Rows, operations and cache of each plan, as SVG.</summary>
    public string PlanPicture() => PlanChart.Draw([.. _run.Scores.Select(static score => (score.Candidate.Name, score.Candidate.Plan))], _run.TextTokens);

    /// <summary>The first metric against operations, as SVG.</summary>
    public string ScorePicture() =>
        ScoreChart.Draw([.. _run.Scores.Select(score => (score.Candidate.Name, FlopsOfDense(score), score.Mean(0)))], _run.Metrics[0].Heading);

    /// <summary>Everything for scripts.</summary>
    public JsonObject ToJson() => new()
    {
        ["questions"] = _run.Questions.Count,
        ["asked"] = _run.Asked,
        ["text_tokens"] = _run.TextTokens,
        ["variants"] = new JsonArray([.. _run.Scores.Select(score => (JsonNode)ToJson(score))]),
    };

    private JsonObject ToJson(Scoreboard score)
    {
        var scores = new JsonObject();
        for (int i = 0; i < _run.Metrics.Count; i++)
        {
            scores[_run.Metrics[i].Name] = Finite(score.Mean(i));
        }

        var types = new JsonObject();
        foreach (string type in _types)
        {
            types[type] = Finite(score.MeanOf(type));
        }

        return new JsonObject
        {
            ["name"] = score.Candidate.Name,
            ["visual_tokens_at_most"] = new JsonArray([.. score.Candidate.Plan.Segments.Select(static segment => (JsonNode)segment.VisualTokens)]),
            ["scores"] = scores,
            ["by_type"] = types,
            ["flops"] = Flops(score),
            ["flops_of_dense"] = FlopsOfDense(score),
            ["vision_ms"] = Finite(score.Vision),
            ["prefill_ms"] = Finite(score.Prefill),
            ["prefill_of_dense"] = Finite(score.PrefillOfDense),
            ["decode_ms_per_token"] = Finite(score.DecodeStep),
        };
    }

    private static JsonNode? Finite(double value) => double.IsFinite(value) ? Math.Round(value, 6) : null;

    private string Counts() => _run.Metrics is [{ Name: "exact" }]
        ? "an answer counts if it is exactly the right one."
        : "exact: the right answer itself; relaxed: numbers within 5 %; ANLS: likeness in letters, 0 from one half on." + (_types.Length > 0 ? $" By type: {_run.Metrics[0].Heading}." : "");

    private static string AtMost(Scoreboard score) => IsBound(score) ? "≤ " : "";

    // Where the image decides how many tokens stay, or a gate when they leave, the plan knows no more.
    private static bool IsBound(Scoreboard score) => score.Candidate.Plan.IsDynamic || score.Candidate.Plan.Gates is not null;

    private double Flops(Scoreboard score) => score.Candidate.Plan.Flops(FlopsConvention.C, _run.TextTokens);

    private double FlopsOfDense(Scoreboard score) => Flops(score) / score.Candidate.Plan.DenseFlops(FlopsConvention.C, _run.TextTokens);

    private double ExecutedOfDense(Scoreboard score) =>
        score.Candidate.Plan.ExecutedFlops(FlopsConvention.C, _run.TextTokens) / score.Candidate.Plan.DenseExecutedFlops(FlopsConvention.C, _run.TextTokens);
}
