using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Espalier.Calibration;
using Espalier.CommandLine;
using Espalier.Evaluation;

namespace Espalier.Tool.Commands;

/// <summary>Scores, operations and times of policies over questions with known answers.</summary>
internal static class EvaluateCommand
{
    private const string Answers = "answers.jsonl", Report = "report.md", Plans = "plans.svg", Scores = "scores.svg";

    public static Command Create(Terminal terminal)
    {
        Argument<string> checkpoint = SharedOptions.Checkpoint();
        Argument<string> data = new("data") { Description = "JSON lines with image (a path beside the file), question, answer (a text, or a list of right ones) and, if you like, type." };
        Option<string[]> policies = SharedOptions.Policies();
        Option<string> output = new("--output", "-o")
        {
            Description = $"The folder that gets {Answers}, {Report}, {Plans} and {Scores}. A run that was ended goes on from it.",
            HelpName = "folder",
            DefaultValueFactory = static _ => "evaluation",
        };
        Option<string[]> metrics = new("--metrics")
        {
            Description = "exact: the right answer itself; relaxed: numbers within 5 % (ChartQA); anls: likeness in letters (DocVQA). The first is also told by type.",
            HelpName = "names",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = static _ => [.. Metric.All.Select(static metric => metric.Name)],
        };
        metrics.AcceptOnlyFromAmong([.. Metric.All.Select(static metric => metric.Name)]);
        Option<int> limit = NumberOption.Create("--limit", "Asks only so many questions, spread evenly over the file; 0 asks all.", static value => value >= 0, "is a whole number of at least 0", 0);
        Option<Precision> precision = SharedOptions.Precision();
        Option<int> positions = SharedOptions.TextPositions();
        Option<bool> json = SharedOptions.Json();
        var command = new DocumentedCommand(
            "evaluate",
            "Asks the dense model and each policy the questions of a file, and reports scores, operations and times. Resumable: the same command goes on where it was ended.",
            "evaluate models/llava questions.jsonl -p '[FastV(K = 2, R = 0.5)]' -p '[Vtw(K = 20)]' -o report",
            "evaluate models/llava questions.jsonl -p '[FastV(K = 2, R = 0.5)]' --limit 100 --metrics anls",
            "evaluate models/llava questions.jsonl --precision int8 --json")
        {
            checkpoint, data, policies, output, metrics, limit, precision, positions, json,
        };
        SamplingOptions sampling = SamplingOptions.AddTo(command, maxTokens: 32);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            terminal,
            parsed.GetRequiredValue(checkpoint),
            parsed.GetRequiredValue(data),
            parsed.GetValue(policies)!,
            parsed.GetRequiredValue(output),
            [.. parsed.GetValue(metrics)!.Distinct().Select(Metric.Named)],
            parsed.GetValue(limit),
            parsed.GetValue(precision),
            parsed.GetValue(positions),
            sampling.Read(parsed),
            parsed.GetValue(json),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        Terminal terminal,
        string folder,
        string data,
        string[] texts,
        string output,
        IReadOnlyList<Metric> metrics,
        int limit,
        Precision precision,
        int positions,
        AnswerOptions options,
        bool json,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<Question> questions = QuestionFile.Spread(QuestionFile.Read(data), limit);
        using PolicyCompilation compilation = Policies.Compile(terminal, folder, ["", .. texts], cancellationToken);
        IReadOnlyList<Candidate> candidates = Policies.Candidates(compilation);
        OutputFolder.Make(output);
        var settings = new JsonObject
        {
            ["model"] = FileDigests.OfModel(folder),
            ["data"] = FileDigests.OfData(data),
            ["policies"] = new JsonArray([.. candidates.Select(static candidate => (JsonNode)candidate.Name)]),
            ["limit"] = limit,
            ["precision"] = precision.ToString(),
            ["temperature"] = options.Temperature,
            ["top_p"] = options.TopP,
            ["seed"] = options.Seed,
            ["max_tokens"] = options.MaxNewTokens,
        };
        var run = new EvaluationRun(candidates, questions, metrics);
        using (EvaluationLog log = EvaluationLog.Open(Path.Combine(output, Answers), settings, candidates.Count))
        {
            foreach (IReadOnlyList<TakenAnswer> answers in log.Answered.Take(questions.Count))
            {
                run.Add(answers);
            }

            if (run.Asked > 0)
            {
                terminal.Errors.WriteLine(string.Create(CultureInfo.InvariantCulture, $"going on after {run.Asked} of {questions.Count} questions"));
            }

            if (run.Asked < questions.Count)
            {
                NativeLibraries.Ensure(terminal);
                using LoadedCandidates loaded = Loading.Load(terminal, folder, candidates, precision, positions, cancellationToken);
                await terminal.ProgressAsync(
                    $"{questions.Count} questions, {candidates.Count} variants",
                    run.Asked,
                    questions.Count,
                    answered => run.AskAsync(
                        loaded.All,
                        options,
                        (question, answers) =>
                        {
                            log.Add(question, answers);
                            answered();
                        },
                        cancellationToken));
            }
        }

        if (run.Asked < questions.Count)
        {
            return terminal.Cancelled(Path.Combine(output, Answers), string.Create(CultureInfo.InvariantCulture, $"{run.Asked} of {questions.Count} questions"));
        }

        var report = new EvaluationReport(run);
        string words = NameOf(precision);
        File.WriteAllText(Path.Combine(output, Plans), report.PlanPicture());
        File.WriteAllText(Path.Combine(output, Scores), report.ScorePicture());
        File.WriteAllText(Path.Combine(output, Report), $"# Evaluation of {Path.GetFileName(data)}\n\n{report.ToMarkdown(words)}\n![scores]({Scores})\n\n![plans]({Plans})\n");
        if (json)
        {
            terminal.Output.WriteLine(report.ToJson().ToJsonString(JsonText.Indented));
        }
        else
        {
            terminal.Write(report.Accuracy(" → "));
            terminal.Write(report.Cost());
            terminal.Output.WriteLine(report.Caption(words));
        }

        terminal.Errors.WriteLine($"wrote {Path.Combine(output, Report)}");
        return ExitCode.Success;
    }

    private static string NameOf(Precision precision) => precision == Precision.Float32 ? "fp32" : precision.ToString().ToLowerInvariant();
}
