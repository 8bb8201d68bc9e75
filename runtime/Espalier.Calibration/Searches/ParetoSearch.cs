using System.Globalization;
using System.Text.Json.Nodes;
using Espalier.Evaluation;
using Espalier.Planning;

namespace Espalier.Calibration;

/// <summary>What a policy costs and gets right.</summary>
/// <param name="Policy">Its attributes; empty for the dense model.</param>
/// <param name="Accuracy">Share of the questions that it answers exactly.</param>
/// <param name="Flops">Operations of its prefill, as a share of the dense model's.</param>
/// <param name="Time">Prefill time as a share of the dense model's: the median of each question's own ratio.</param>
/// <param name="IsOnFront">True if no other policy is at least as good in accuracy and operations and better in one of them.</param>
public sealed record ParetoPoint(string Policy, double Accuracy, double Flops, double Time, bool IsOnFront);

/// <summary>A search over declared candidates: each answers the same questions, and of those within a budget of operations the most accurate is chosen.</summary>
/// <remarks>Deterministic but for times, which decide nothing. Immutable, thread-safe.</remarks>
public sealed class ParetoSearch
{
    private readonly EvaluationRun _run;

    private ParetoSearch(string model, double budget, EvaluationRun run)
    {
        Model = model;
        Budget = budget;
        _run = run;
        (double Flops, double Score)[] costs = [.. run.Scores.Select(score => (Share(score.Candidate.Plan), score.Mean(0)))];
        Points =
        [
            .. run.Scores.Select((score, i) => new ParetoPoint(
                score.Candidate.Name == DenseName ? "" : score.Candidate.Name,
                costs[i].Score,
                costs[i].Flops,
                score.PrefillOfDense,
                !costs.Any(other => other.Score >= costs[i].Score && other.Flops <= costs[i].Flops && (other.Score > costs[i].Score || other.Flops < costs[i].Flops)))),
        ];
        Chosen = Points.Where(point => point.Flops <= budget).OrderByDescending(static point => point.Accuracy).ThenBy(static point => point.Flops).FirstOrDefault();
    }

    private const string DenseName = "dense";

    /// <summary>The model's name: its folder's.</summary>
    public string Model { get; }

    /// <summary>The share of the dense model's operations that may be used.</summary>
    public double Budget { get; }

    /// <summary>Questions that every candidate answered.</summary>
    public int Questions => _run.Asked;

    /// <summary>The candidates, the dense model first.</summary>
    public IReadOnlyList<ParetoPoint> Points { get; }

    /// <summary>The most accurate candidate within the budget, of equals the cheapest; null if none is within it.</summary>
    public ParetoPoint? Chosen { get; }

    /// <summary>Candidates for a model whose user has none: the prunes, freezes and exits of the literature at several strengths, alone and together.</summary>
    /// <param name="layers">Decoder layers.</param>
    public static IReadOnlyList<string> DefaultCandidates(int layers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 4);
        int[] exits = [.. new[] { 0.4, 0.5, 0.65, 0.8 }.Select(share => (int)Math.Round(share * layers, MidpointRounding.ToEven)).Distinct()];
        string[] ratios = ["0.25", "0.5", "0.75", "0.9"];
        List<string> candidates = [.. ratios.Select(static ratio => $"[FastV(K = 2, R = {ratio})]"), .. exits.Select(PolicyText.Vtw)];
        candidates.AddRange(((string[])["0.5", "0.25", "0.1"]).Select(static ratio => $"[DivPrune(Ratio = {ratio})]"));
        candidates.Add("[PyramidDrop]");
        candidates.AddRange(ratios.Take(3).Select(ratio => $"[FastV(K = 2, R = {ratio})] {PolicyText.Vtw(exits[^1])}"));
        candidates.AddRange(ratios.Take(2).Select(ratio => $"[FastV(K = 2, R = {ratio})] {PolicyText.Layers("ShortV", Enumerable.Range(layers / 2, layers - 1 - (layers / 2)))}"));
        return candidates;
    }

    /// <summary>Asks every candidate every question, in turns.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="data">JSON lines with image (a path beside the file), question, answer (a text, or a list of right ones) and, if wanted, type.</param>
    /// <param name="policies">The candidates as C# attributes; the dense model is always among them, as the baseline.</param>
    /// <param name="budget">The share of the dense model's operations that may be used, inside (0, 1].</param>
    /// <param name="limit">Asks only so many questions, spread evenly over the file; 0 asks all.</param>
    /// <param name="options">Log, progress, cancellation, device and precision; null is the default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The budget is not inside (0, 1].</exception>
    /// <exception cref="PolicyRejectedException">A candidate does not compile for this model.</exception>
    /// <exception cref="CalibrationException">The data or the log is not what it should be.</exception>
    /// <exception cref="EspalierException">The checkpoint cannot be loaded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the log keeps what was answered.</exception>
    public static async Task<ParetoSearch> RunAsync(string folder, string data, IReadOnlyList<string> policies, double budget, int limit = 0, CalibrationOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(policies);
        options ??= new CalibrationOptions();
        if (!(budget is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(budget), budget, "The budget is a share of the dense model's operations inside (0, 1].");
        }

        IReadOnlyList<Question> questions;
        try
        {
            questions = QuestionFile.Spread(QuestionFile.Read(data), limit);
        }
        catch (InputException exception)
        {
            throw new CalibrationException(exception.Message);
        }

        using PolicyCompilation compilation = PolicyCompiler.Compile(folder, ["", .. policies.Where(static policy => !string.IsNullOrWhiteSpace(policy)).Distinct(StringComparer.Ordinal)], options.CancellationToken);
        if (compilation.Policies.FirstOrDefault(static policy => !policy.IsValid) is { } rejected)
        {
            throw new PolicyRejectedException(rejected.Text, rejected.Diagnostics);
        }

        Candidate[] candidates = [.. compilation.Policies.Select(static policy => new Candidate(policy.Text.Length == 0 ? DenseName : policy.Text, policy.Plan!, policy.Load))];
        var run = new EvaluationRun(candidates, questions, [Metric.Exact]);
        EvaluationLog? log = null;
        try
        {
            if (options.Log is not null)
            {
                log = EvaluationLog.Open(options.Log, Settings(folder, data, candidates, limit, options), candidates.Length);
                foreach (IReadOnlyList<TakenAnswer> answers in log.Answered.Take(questions.Count))
                {
                    run.Add(answers);
                }
            }

            if (run.Asked < questions.Count)
            {
                using LoadedCandidates loaded = LoadedCandidates.Load(folder, candidates, (options.Model ?? new ModelOptions()) with { CancellationToken = options.CancellationToken });
                await run.AskAsync(
                    loaded.All,
                    new AnswerOptions(),
                    (question, answers) =>
                    {
                        log?.Add(question, answers);
                        options.Progress?.Report(new CalibrationProgress((run.Asked + 1) * candidates.Length, questions.Count * candidates.Length, question.Text));
                    },
                    options.CancellationToken).ConfigureAwait(false);
            }
        }
        catch (InputException exception)
        {
            throw new CalibrationException(exception.Message);
        }
        finally
        {
            log?.Dispose();
        }

        options.CancellationToken.ThrowIfCancellationRequested();
        return new ParetoSearch(PolicyText.ModelName(folder), budget, run);
    }

    /// <summary>A declaration with the chosen policy, ready to commit.</summary>
    /// <param name="className">The class.</param>
    /// <exception cref="InvalidOperationException">No candidate is within the budget.</exception>
    public string ToDeclaration(string className)
    {
        ParetoPoint chosen = Chosen ?? throw new InvalidOperationException($"No candidate is within {PolicyText.Number(Budget)} of the dense model's operations.");
        return PolicyText.Declaration(
            Model,
            className,
            chosen.Policy,
            $"The most accurate of {PolicyText.Number(Points.Count)} candidates within {PolicyText.Number(Budget)} of the dense operations: {ReportTable.Share(chosen.Accuracy)} of {PolicyText.Number(Questions)} questions at {ReportTable.Share(chosen.Flops)} (dense: {ReportTable.Share(Points[0].Accuracy)}).");
    }

    /// <summary>The candidates in order of their operations, as Markdown; lines end with a line feed.</summary>
    public string ToMarkdown() => Table().ToMarkdown() + "\n" + Caption + "\n";

    /// <summary>Accuracy against operations, as SVG.</summary>
    public string FlopsPicture() => ScoreChart.Draw([.. Points.Select(static point => (Name(point), point.Flops, point.Accuracy))], "accuracy", "operations");

    /// <summary>Accuracy against prefill time, as SVG.</summary>
    public string TimePicture() => ScoreChart.Draw([.. Points.Select(static point => (Name(point), point.Time, point.Accuracy))], "accuracy", "prefill time");

    internal string Caption => string.Create(CultureInfo.InvariantCulture, $"{Questions} questions; an answer counts if it is exactly the right one. Operations: the decoder's prefill, convention C, {_run.TextTokens} text tokens. Front: no other candidate is as good in both and better in one. Budget: {ReportTable.Share(Budget)} of the dense operations.");

    internal ReportTable Table() => new(
        ["candidate", "visual tokens", "accuracy", "operations", "prefill time", "front", "chosen"],
        2,
        [
            .. Points.Select((point, i) => (Point: point, _run.Scores[i].Candidate)).OrderByDescending(static one => one.Point.Flops).ThenBy(static one => one.Point.Policy, StringComparer.Ordinal).Select(one => (IReadOnlyList<string>)
            [
                Name(one.Point),
                one.Candidate.TokensBySegment(" → "),
                ReportTable.Share(one.Point.Accuracy),
                ReportTable.Share(one.Point.Flops),
                ReportTable.Share(one.Point.Time),
                one.Point.IsOnFront ? "yes" : "",
                one.Point == Chosen ? "yes" : "",
            ]),
        ]);

    private static string Name(ParetoPoint point) => point.Policy.Length == 0 ? DenseName : point.Policy;

    private double Share(ReductionPlan plan) => plan.Flops(FlopsConvention.C, _run.TextTokens) / plan.DenseFlops(FlopsConvention.C, _run.TextTokens);

    private static JsonObject Settings(string folder, string data, Candidate[] candidates, int limit, CalibrationOptions options) => new()
    {
        ["model"] = FileDigests.OfModel(folder),
        ["data"] = FileDigests.OfData(data),
        ["policies"] = new JsonArray([.. candidates.Select(static candidate => (JsonNode)candidate.Name)]),
        ["limit"] = limit,
        ["precision"] = options.Model?.Precision?.ToString() ?? "declared",
    };
}
