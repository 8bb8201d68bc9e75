using System.CommandLine;
using Espalier.CommandLine;
using Espalier.Evaluation;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>Accuracy, operations and time of variants over the held-out questions.</summary>
internal static class EvaluateCommand
{
    private const string Precision = "fp32";

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
        Option<int> limit = NumberOption.Create("--limit", "Asks only so many questions, spread evenly over the set; 0 asks all.", static value => value >= 0, "is a whole number of at least 0", 0);
        var output = new Option<string?>("--output")
        {
            Description = "Writes the report, as Markdown: into a new file, or in a file that has them, between the lines "
                + ReportFile.Begin + " and " + ReportFile.End + ".",
            HelpName = "file",
        };
        var picture = new Option<string?>("--picture") { Description = "Writes accuracy against operations, as SVG.", HelpName = "file" };
        var pages = new Option<string?>("--pages") { Description = "Writes the rows of each method into its page in this folder, between the same lines.", HelpName = "folder" };
        var from = new Option<string?>("--from") { Description = "Takes the report for --pages and --picture from this file, and asks nothing.", HelpName = "file" };
        from.Validators.Add(result =>
        {
            if (result.GetValue(pages) is null && result.GetValue(picture) is null)
            {
                result.AddError("--from says where the rows of --pages or the dots of --picture come from; give one of them too.");
            }
        });
        pages.Validators.Add(result =>
        {
            if (result.GetValue(variants) is { Length: > 0 })
            {
                result.AddError("--pages says of a method that is not among the variants that it was not measured; leave out --variants.");
            }
        });
        var questions = new Option<string?>("--questions") { Description = "A folder with questions.jsonl, instead of the sample's.", HelpName = "folder" };
        Option<string?> model = SharedOptions.Model();

        var command = new DocumentedCommand(
            "evaluate",
            "Asks variants the held-out questions: accuracy by type of question, operations, and times beside the dense model's.",
            "evaluate",
            "evaluate --variants fastv quick --limit 100",
            "evaluate --output report.md",
            "evaluate --output README.md",
            "evaluate --output README.md --pages generator/docs/methods",
            "evaluate --from README.md --pages generator/docs/methods --picture samples/Shapes/accuracy.svg",
            "evaluate --output report.md --picture report.svg") { variants, limit, output, picture, pages, from, questions, model };
        command.SetAction((parsed, cancellationToken) => parsed.GetValue(from) is { } report ? Task.FromResult(WriteFrom(report, parsed.GetValue(pages), parsed.GetValue(picture))) : RunAsync(
            parsed.GetValue(variants) is { Length: > 0 } names ? [.. Variant.All.Where(variant => variant == Variant.Dense || names.Contains(variant.Name))] : Variant.All,
            parsed.GetValue(limit),
            parsed.GetValue(output),
            parsed.GetValue(picture),
            parsed.GetValue(pages),
            parsed.GetValue(questions) ?? Folders.Evaluation,
            parsed.GetValue(model) ?? Folders.Model,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(IReadOnlyList<Candidate> variants, int limit, string? output, string? picture, string? pages, string folder, string model, CancellationToken cancellationToken)
    {
        IReadOnlyList<Question> questions = QuestionFile.Spread(QuestionFile.Read(Path.Combine(folder, "questions.jsonl")), limit);
        if (output is not null)
        {
            // Now, not after a minute of measuring.
            ReportFile.Check(output);
        }

        if (pages is not null)
        {
            MethodPages.Check(pages);
        }

        using LoadedCandidates loaded = SharedOptions.Load(model, variants);
        var run = new EvaluationRun(variants, questions, [Metric.Exact]);
        await Terminal.OfProcess.ProgressAsync(
            $"{questions.Count} questions, {variants.Count} variants",
            0,
            questions.Count,
            answered => run.AskAsync(loaded.All, new AnswerOptions { MaxNewTokens = 16 }, (_, _) => answered(), cancellationToken));

        var report = new EvaluationReport(run);
        if (run.Asked == 0)
        {
            // Cancelled while warming up: there is nothing to show.
        }
        else if (Console.IsOutputRedirected)
        {
            Console.Write(report.ToMarkdown(Precision));
        }
        else
        {
            Terminal.OfProcess.Write(report.Accuracy(" | "));
            Terminal.OfProcess.Write(report.Cost());
            Console.WriteLine(report.Caption(Precision));
        }

        if (run.Asked < questions.Count)
        {
            Terminal.OfProcess.Fail($"cancelled after {run.Asked} of {questions.Count} questions" + (output is null ? "" : $"; {output} was left as it is"));
            return ExitCode.Cancelled;
        }

        if (output is not null)
        {
            ReportFile.Write(output, report.ToMarkdown(Precision));
            if (variants.Count == Variant.All.Count)
            {
                ReadmeSummary.Write(output);
            }

            Console.Error.WriteLine($"wrote {output}");
        }

        if (picture is not null)
        {
            File.WriteAllText(picture, report.ScorePicture());
            Console.Error.WriteLine($"wrote {picture}");
        }

        if (pages is not null)
        {
            Console.Error.WriteLine($"wrote {MethodPages.Write(pages, report.ToMarkdown(Precision), output ?? "the report")} pages in {pages}");
        }

        return ExitCode.Success;
    }

    private static int WriteFrom(string file, string? pages, string? picture)
    {
        if (!File.Exists(file))
        {
            throw new InputException($"{file}: there is no such file. Name the file that 'evaluate --output' wrote.");
        }

        string report = File.ReadAllText(file);
        if (pages is not null)
        {
            ReadmeSummary.Write(file);
            Console.Error.WriteLine($"wrote {MethodPages.Write(pages, report, file)} pages in {pages}");
        }

        if (picture is not null)
        {
            File.WriteAllText(picture, ReportTables.Picture(report, file));
            Console.Error.WriteLine($"wrote {picture}");
        }

        return ExitCode.Success;
    }
}
