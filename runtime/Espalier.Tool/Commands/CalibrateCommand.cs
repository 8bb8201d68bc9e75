using System.CommandLine;
using System.Text.Json.Nodes;
using Espalier.Calibration;
using Espalier.CommandLine;
using Espalier.Evaluation;

namespace Espalier.Tool.Commands;

/// <summary>Measures what layers do to visual tokens, and writes what follows from it as a declaration.</summary>
internal static class CalibrateCommand
{
    private const string Log = "calibration.jsonl", Report = "report.md", Chart = "layers.svg";

    public static Command Create(Terminal terminal)
    {
        Argument<string> checkpoint = SharedOptions.Checkpoint();
        Argument<string> data = new("data") { Description = "JSON lines with image (a path beside the file), question and answer; the answers are not looked at." };
        Argument<string> method = new("method") { Description = "shortv: layer contribution, freezes the layers that do least; vtw: the first layer that visual tokens can leave at; gsearch: the fewest tokens a layer; psigmoid: tokens along a sigmoid within a budget; yopo: the heads that visual tokens can do without; redundancylens: layer contribution, visual tokens do less in the layers that do least." };
        method.AcceptOnlyFromAmong("shortv", "vtw", "gsearch", "psigmoid", "yopo", "redundancylens");
        Option<int> samples = NumberOption.Create("--samples", "Questions that are asked, drawn from the file by --seed; ShortV takes 40, VTW 20, YOPO 100.", static value => value >= 1, "is a whole number of at least 1", 40);
        Option<int> seed = NumberOption.Create("--seed", "What fixes the draw.", static _ => true, "is a whole number", 0);
        Option<int> layers = NumberOption.Create("--layers", "shortv and redundancylens: how many layers; 0 takes ShortV's share, 19 of 32.", static value => value >= 0, "is a whole number of at least 0", 0);
        Option<double> threshold = NumberOption.Create("--threshold", "vtw and gsearch: the largest divergence of the next token, in nats.", static value => value >= 0, "is a number of at least 0", WithdrawalSearch.DefaultThreshold);
        Option<double> budget = NumberOption.Create("--budget", "psigmoid: the share of the dense operations, between 0 and 1.", static value => value is > 0 and < 1, "is a number between 0 and 1", 0.5);
        Option<double> ratio = NumberOption.Create("--ratio", "yopo: a head whose attention to visual tokens, over that to text, is above this in more than two fifths of the samples stays; the authors name 0.035, 0.077 and 0.2 for LLaVA-1.5-13B.", static value => value >= 0, "is a number of at least 0", HeadSearch.DefaultThreshold);
        Option<string> name = SharedOptions.ClassName("CalibratedModel");
        Option<string> output = new("--output", "-o")
        {
            Description = $"The folder that gets {Log}, {Report}, {Chart} and the declaration. A calibration that was ended goes on from it.",
            HelpName = "folder",
            DefaultValueFactory = static _ => "calibration",
        };
        Option<Precision> precision = SharedOptions.Precision();
        Option<bool> json = SharedOptions.Json();
        var command = new DocumentedCommand(
            "calibrate",
            "Measures what layers do to visual tokens on your pictures and questions, and writes what follows as a C# declaration. Resumable: the same command goes on where it was ended.",
            "calibrate shortv models/llava questions.jsonl --layers 19",
            "calibrate vtw models/llava questions.jsonl --samples 20 --threshold 0.003",
            "calibrate gsearch models/llava questions.jsonl --threshold 0.02",
            "calibrate yopo models/llava questions.jsonl --samples 100 --ratio 0.077",
            "calibrate psigmoid models/llava questions.jsonl --budget 0.4 --class FrugalModel -o frugal")
        {
            method, checkpoint, data, samples, seed, layers, threshold, budget, ratio, name, output, precision, json,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string folder = parsed.GetRequiredValue(checkpoint);
            string target = parsed.GetRequiredValue(output);
            CalibrationSample[] asked = [.. QuestionFile.Read(parsed.GetRequiredValue(data)).Select(static question => new CalibrationSample(question.Image, question.Text))];
            IReadOnlyList<CalibrationSample> chosen = CalibrationSample.Choose(asked, parsed.GetValue(samples), parsed.GetValue(seed));
            int all = Checkpoint.ReadGeometry(folder).Text.Layers;
            if (all < 2)
            {
                throw new InputException($"{folder}: the model has one decoder layer, and a calibration chooses between layers. Name a deeper one.");
            }

            if (parsed.GetValue(layers) > all)
            {
                throw new InputException($"--layers is {parsed.GetValue(layers)} and the model has {all} layers. Name fewer.");
            }

            OutputFolder.Make(target);
            NativeLibraries.Ensure(terminal);
            CalibrationReport report;
            try
            {
                report = await MeasureAsync(
                    terminal,
                    Path.Combine(target, Log),
                    parsed.GetValue(precision),
                    $"{chosen.Count} samples",
                    options => Measure(parsed.GetRequiredValue(method), folder, chosen, parsed.GetValue(layers), parsed.GetValue(threshold), parsed.GetValue(budget), parsed.GetValue(ratio), parsed.GetValue(name)!, options),
                    cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return terminal.Cancelled(Path.Combine(target, Log));
            }

            File.WriteAllText(Path.Combine(target, Chart), report.Chart);
            string told = Path.Combine(target, Report);
            File.WriteAllText(told, report.ToMarkdown(Chart));
            string declaration = Path.Combine(target, parsed.GetValue(name) + ".cs");
            File.WriteAllText(declaration, report.Declaration);
            if (parsed.GetValue(json))
            {
                terminal.Output.WriteLine(new JsonObject
                {
                    ["declaration"] = report.Declaration,
                    ["layers"] = new JsonArray([.. report.Table.Rows.Select(row => (JsonNode)new JsonObject(row.Select((cell, i) => new KeyValuePair<string, JsonNode?>(report.Table.Headings[i], cell))))]),
                }.ToJsonString(JsonText.Indented));
            }
            else
            {
                terminal.Write(report.Table);
                terminal.Output.WriteLine(report.Caption);
                terminal.Output.WriteLine();
                terminal.Output.Write(report.Declaration);
            }

            terminal.Errors.WriteLine($"wrote {told} and {declaration}");
            return ExitCode.Success;
        });
        return command;
    }

    private static CalibrationReport Measure(string method, string folder, IReadOnlyList<CalibrationSample> samples, int layers, double threshold, double budget, double ratio, string name, CalibrationOptions options)
    {
        switch (method)
        {
            case "shortv" or "redundancylens":
                LayerMethod lowers = method == "shortv" ? LayerMethod.ShortV : LayerMethod.RedundancyLens;
                LayerContribution measured = LayerContribution.Measure(folder, samples, options, text: lowers == LayerMethod.ShortV);
                int all = measured.Visual.Count;
                return CalibrationReport.Of(measured, layers == 0 ? Math.Max(1, (int)Math.Round(all * 19 / 32.0, MidpointRounding.ToEven)) : layers, name, lowers);
            case "vtw":
                int last = Checkpoint.ReadGeometry(folder).Text.Layers - 1;
                return CalibrationReport.Of(WithdrawalSearch.Run(folder, samples, threshold, Math.Min(WithdrawalSearch.DefaultFirstLayer, last), options), name);
            case "yopo":
                return CalibrationReport.Of(HeadSearch.Run(folder, samples, ratio, options), name);
            case "gsearch":
                return CalibrationReport.Of(GSearch.Run(folder, samples, threshold, options: options), "G-Search", name);
            default:
                return CalibrationReport.Of(PSigmoid.Run(folder, samples, budget, options), "P-Sigmoid", name);
        }
    }

    /// <summary>Runs a calibration on another thread, with a bar where somebody watches.</summary>
    private static async Task<CalibrationReport> MeasureAsync(Terminal terminal, string log, Precision precision, string doing, Func<CalibrationOptions, CalibrationReport> measure, CancellationToken cancellationToken)
    {
        CalibrationReport? report = null;
        await terminal.ProgressAsync(
            doing,
            tell => Task.Run(
                () => report = measure(new CalibrationOptions
                {
                    Log = log,
                    Model = new ModelOptions { Precision = precision },
                    Progress = new Told<CalibrationProgress>(value => tell(value.Done, value.Total)),
                    CancellationToken = cancellationToken,
                }),
                CancellationToken.None));
        return report!;
    }
}
