using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Espalier.Calibration;
using Espalier.CommandLine;
using Espalier.Evaluation;

namespace Espalier.Tool.Commands;

/// <summary>Asks many policies the same questions and chooses the most accurate within a budget.</summary>
internal static class SearchCommand
{
    private const string Answers = "answers.jsonl", Report = "report.md", Flops = "flops.svg", Time = "time.svg";

    public static Command Create(Terminal terminal)
    {
        Argument<string> checkpoint = SharedOptions.Checkpoint();
        Argument<string> data = new("data") { Description = "JSON lines with image (a path beside the file), question and answer (a text, or a list of right ones)." };
        Option<double> budget = NumberOption.Create("--budget", "The share of the dense model's operations that may be used, above 0 and up to 1.", static value => value is > 0 and <= 1, "is a number above 0 and up to 1", 0.5);
        Option<string[]> policies = SharedOptions.Policies();
        policies.Description = "A candidate as C# attributes, in quotes. May be given several times; without it a dozen and a half from the literature are tried.";
        Option<int> limit = NumberOption.Create("--limit", "Asks only so many questions, spread evenly over the file; 0 asks all.", static value => value >= 0, "is a whole number of at least 0", 0);
        Option<string> name = SharedOptions.ClassName("ChosenModel");
        Option<string> output = new("--output", "-o")
        {
            Description = $"The folder that gets {Answers}, {Report}, {Flops}, {Time} and the declaration. A search that was ended goes on from it.",
            HelpName = "folder",
            DefaultValueFactory = static _ => "search",
        };
        Option<Precision> precision = SharedOptions.Precision();
        Option<bool> json = SharedOptions.Json();
        var command = new DocumentedCommand(
            "search",
            "Asks candidates the questions of a file and chooses the most accurate within a budget of operations; writes it as a C# declaration. Resumable: the same command goes on where it was ended.",
            "search models/llava questions.jsonl --budget 0.5",
            "search models/llava questions.jsonl --budget 0.3 -p '[FastV(K = 2, R = 0.75)]' -p '[DivPrune(Ratio = 0.1)]' --limit 100",
            "search models/llava questions.jsonl --budget 0.5 --precision int8 --class FastModel --json")
        {
            checkpoint, data, budget, policies, limit, name, output, precision, json,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string folder = parsed.GetRequiredValue(checkpoint);
            string target = parsed.GetRequiredValue(output);
            IReadOnlyList<string> candidates;
            if (parsed.GetValue(policies) is { Length: > 0 } given)
            {
                // The compiler's words about each, with the place; the search itself would only say that one is rejected.
                using PolicyCompilation compilation = Policies.Compile(terminal, folder, given, cancellationToken);
                candidates = [.. Policies.Candidates(compilation).Select(static candidate => candidate.Name)];
            }
            else
            {
                int layers = Checkpoint.ReadGeometry(folder).Text.Layers;
                candidates = layers >= 4
                    ? Compiling(folder, ParetoSearch.DefaultCandidates(layers), cancellationToken)
                    : throw new InputException(string.Create(CultureInfo.InvariantCulture, $"the model has {layers} decoder layers, and the candidates from the literature are for 4 or more. Name yours with --policy."));
            }

            int questions = QuestionFile.Spread(QuestionFile.Read(parsed.GetRequiredValue(data)), parsed.GetValue(limit)).Count;
            OutputFolder.Make(target);
            NativeLibraries.Ensure(terminal);
            ParetoSearch? search = null;
            try
            {
                await terminal.ProgressAsync(
                    string.Create(CultureInfo.InvariantCulture, $"{questions} questions, {candidates.Count + 1} candidates"),
                    0,
                    questions,
                    done => Task.Run(
                        async () => search = await ParetoSearch.RunAsync(
                            folder,
                            parsed.GetRequiredValue(data),
                            candidates,
                            parsed.GetValue(budget),
                            parsed.GetValue(limit),
                            new CalibrationOptions { Log = Path.Combine(target, Answers), Model = new ModelOptions { Precision = parsed.GetValue(precision) }, Progress = Questions(candidates.Count + 1, done), CancellationToken = cancellationToken }),
                        CancellationToken.None));
            }
            catch (OperationCanceledException)
            {
                return terminal.Cancelled(Path.Combine(target, Answers));
            }

            File.WriteAllText(Path.Combine(target, Flops), search!.FlopsPicture());
            File.WriteAllText(Path.Combine(target, Time), search.TimePicture());
            string declaration = search.Chosen is null ? "" : search.ToDeclaration(parsed.GetValue(name)!);
            string told = Path.Combine(target, Report);
            File.WriteAllText(told, $"# Search\n\n{search.ToMarkdown()}\n![accuracy against operations]({Flops})\n\n![accuracy against time]({Time})\n" + (declaration.Length > 0 ? $"\n```csharp\n{declaration}```\n" : ""));
            if (parsed.GetValue(json))
            {
                terminal.Output.WriteLine(ToJson(search, declaration).ToJsonString(JsonText.Indented));
            }
            else
            {
                terminal.Write(search.Table());
                terminal.Output.WriteLine(search.Caption);
                terminal.Output.WriteLine();
                terminal.Output.Write(declaration);
            }

            if (search.Chosen is null)
            {
                terminal.Fail(string.Create(CultureInfo.InvariantCulture, $"no candidate is within {search.Budget} of the dense model's operations; the cheapest takes {search.Points.Min(static point => point.Flops):F3}. Name a larger --budget, or stronger policies."));
                return ExitCode.Failure;
            }

            string file = Path.Combine(target, parsed.GetValue(name) + ".cs");
            File.WriteAllText(file, declaration);
            terminal.Errors.WriteLine($"wrote {told} and {file}");
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Of the candidates from the literature those that the model can run: a tower without CLS, for example, refuses some.</summary>
    private static string[] Compiling(string folder, IReadOnlyList<string> candidates, CancellationToken cancellationToken)
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(folder, candidates, cancellationToken);
        return [.. compilation.Policies.Where(static policy => policy.IsValid).Select(static policy => policy.Text)];
    }

    private static JsonObject ToJson(ParetoSearch search, string declaration) => new()
    {
        ["questions"] = search.Questions,
        ["budget"] = search.Budget,
        ["chosen"] = search.Chosen?.Policy,
        ["declaration"] = declaration,
        ["candidates"] = new JsonArray([.. search.Points.Select(static point => (JsonNode)new JsonObject
        {
            ["policy"] = point.Policy,
            ["accuracy"] = point.Accuracy,
            ["flops_of_dense"] = point.Flops,
            ["prefill_of_dense"] = point.Time,
            ["on_front"] = point.IsOnFront,
        })]),
    };

    /// <summary>Tells a bar of questions about answers; what an earlier run answered comes with the first.</summary>
    private static Told<CalibrationProgress> Questions(int candidates, Action done)
    {
        int questions = 0;
        return new Told<CalibrationProgress>(value =>
        {
            for (; questions < value.Done / candidates; questions++)
            {
                done();
            }
        });
    }
}
