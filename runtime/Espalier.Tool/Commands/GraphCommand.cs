using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Espalier.CommandLine;
using Espalier.Evaluation;
using Espalier.Planning;

namespace Espalier.Tool.Commands;

/// <summary>Writes the graph that a session runs, to look at it.</summary>
internal static class GraphCommand
{
    private static readonly (string Name, ModelPart Part)[] Parts = [("layer", ModelPart.DecoderLayer), ("vision", ModelPart.Vision), ("projector", ModelPart.Projector), ("head", ModelPart.Head)];

    public static Command Create(Terminal terminal)
    {
        Argument<string> checkpoint = SharedOptions.Checkpoint();
        Option<ModelPart> part = ChoiceOption.Create("--part", "What to write: a decoder layer, the vision tower, the projector, or the head.", Parts, "layer");
        Option<int> layer = NumberOption.Create("--layer", "The decoder layer, from 0.", static value => value >= 0, "is a whole number of at least 0", 0);
        Option<LayerKind> kind = ChoiceOption.Create("--kind", "What the layer does in prefill.", [.. Enum.GetValues<LayerKind>().Where(static value => !value.IsPartial()).Select(static value => (value.ToString(), value))], nameof(LayerKind.Dense));
        Option<string?> output = new("--output", "-o") { Description = "The file; by default its name says what it holds. The weights go into a second file, with .data behind its name.", HelpName = "file.onnx" };
        Option<bool> embed = new("--embed") { Description = "Puts the weights into the file itself." };
        Option<Precision> precision = SharedOptions.Precision();
        Option<bool> json = SharedOptions.Json();
        var command = new DocumentedCommand(
            "graph",
            "Writes the ONNX graph that a session runs, with its weights, to open it in Netron or another viewer.",
            "graph models/llava --layer 3 --kind Frozen",
            "graph models/llava --layer 1 --kind Scored --precision int8 -o scored.onnx",
            "graph models/llava --part projector --embed")
        {
            checkpoint, part, layer, kind, output, embed, precision, json,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var key = new SessionKey(Device.Auto.Provider, parsed.GetValue(part), Layer: parsed.GetValue(layer), Kind: parsed.GetValue(kind));
            string path = parsed.GetValue(output)
                ?? (key.Part == ModelPart.DecoderLayer ? string.Create(CultureInfo.InvariantCulture, $"layer-{key.Layer}-{key.Kind}.onnx") : $"{Parts.First(known => known.Part == key.Part).Name}.onnx");
            return Task.FromResult(Run(terminal, parsed.GetRequiredValue(checkpoint), key, path, parsed.GetValue(embed), parsed.GetValue(precision), parsed.GetValue(json), cancellationToken));
        });
        return command;
    }

    private static int Run(Terminal terminal, string folder, SessionKey key, string path, bool embed, Precision precision, bool json, CancellationToken cancellationToken)
    {
        OutputFile.Check(path, "--output");
        NativeLibraries.Ensure(terminal);
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        int layers = checkpoint.Geometry.Text.Layers;
        if (key.Layer >= layers)
        {
            throw new InputException(string.Create(CultureInfo.InvariantCulture, $"--layer {key.Layer}: the model has layers 0 to {layers - 1}."));
        }

        long bytes = terminal.Status("writing", _ => GraphFile.Write(checkpoint, key, new ModelOptions { Precision = precision, CancellationToken = cancellationToken }, path, embed));
        if (json)
        {
            terminal.Output.WriteLine(new JsonObject { ["file"] = path, ["weights"] = embed ? null : path + ".data", ["weight_bytes"] = bytes }.ToJsonString(JsonText.Indented));
        }
        else
        {
            terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"wrote {path}{(embed ? "" : $" and {path}.data")}, {bytes / (double)(1 << 20):F1} MiB of weights"));
        }

        return ExitCode.Success;
    }
}
