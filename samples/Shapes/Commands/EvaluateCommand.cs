using System.CommandLine;
using Espalier.Samples.Shapes.Evaluation;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>Accuracy, operations and time of variants over the held-out questions.</summary>
internal static class EvaluateCommand
{
    public const string Name = "evaluate";

    public static Command Create()
    {
        var variants = new Option<string[]>("--variants")
        {
            Description = "The declared classes to evaluate, instead of all; dense is always among them, as the baseline.",
            HelpName = "names",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = true,
        };
        variants.AcceptOnlyFromAmong([.. Variant.All.Select(known => known.Name)]);
        Option<int> limit = SharedOptions.Number("--limit", "Asks only so many questions, spread evenly over the set; 0 asks all.", value => value >= 0, "is a whole number of at least 0", 0);
        var output = new Option<string?>("--output")
        {
            Description = "Writes the report, as Markdown: into a new file, or in a file that has them, between the lines "
                + ReportFile.Begin + " and " + ReportFile.End + ".",
            HelpName = "file",
        };
        var questions = new Option<string?>("--questions") { Description = "A folder with questions.jsonl, instead of the sample's.", HelpName = "folder" };
        Option<string?> model = SharedOptions.Model();

        var command = new Command(Name, "Asks variants the held-out questions: accuracy by type of question, operations, and times beside the dense model's.") { variants, limit, output, questions, model };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetValue(variants) is { Length: > 0 } names ? [.. Variant.All.Where(variant => variant == Variant.Dense || names.Contains(variant.Name))] : Variant.All,
            parsed.GetValue(limit),
            parsed.GetValue(output),
            parsed.GetValue(questions) ?? Folders.Evaluation,
            parsed.GetValue(model) ?? Folders.Model,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(IReadOnlyList<Variant> variants, int limit, string? output, string folder, string model, CancellationToken cancellationToken)
    {
        IReadOnlyList<Question> all = QuestionFile.Read(folder);
        IReadOnlyList<Question> questions = limit > 0 ? QuestionFile.Spread(all, limit) : all;
        if (output is not null)
        {
            // Now, not after a minute of measuring.
            ReportFile.Check(output);
        }

        using LoadedVariants loaded = LoadedVariants.Load(model, variants);
        var run = new EvaluationRun(loaded, questions);
        await EvaluationProgress.ShowAsync(run, cancellationToken);

        var report = new EvaluationReport(run);
        if (run.Asked == 0)
        {
            // Cancelled while warming up: there is nothing to show.
        }
        else if (Console.IsOutputRedirected)
        {
            Console.Write(report.ToMarkdown());
        }
        else
        {
            report.WriteTables();
        }

        if (run.Asked < questions.Count)
        {
            Terminal.Fail($"cancelled after {run.Asked} of {questions.Count} questions" + (output is null ? "" : $"; {output} was left as it is"));
            return ExitCode.Cancelled;
        }

        if (output is not null)
        {
            ReportFile.Write(output, report.ToMarkdown());
            Console.Error.WriteLine($"wrote {output}");
        }

        return ExitCode.Success;
    }
}
