using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Espalier.CommandLine;
using Espalier.Evaluation;
using Espalier.Tool.Inspection;

namespace Espalier.Tool.Commands;

/// <summary>Says what a model folder holds, what it will take, and what is wrong with it.</summary>
internal static class InspectCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> checkpoint = SharedOptions.Checkpoint();
        Option<bool> tensors = new("--tensors") { Description = "Lists every tensor." };
        Option<bool> json = SharedOptions.Json();
        var command = new DocumentedCommand(
            "inspect",
            "Shows a model folder: family, shapes, tensors, the memory of each precision, and every problem at once. Exit code 1 if there is a problem.",
            "inspect models/llava",
            "inspect models/llava --tensors",
            "inspect models/llava --json")
        {
            checkpoint, tensors, json,
        };
        command.SetAction(parsed => Run(terminal, parsed.GetRequiredValue(checkpoint), parsed.GetValue(tensors), parsed.GetValue(json)));
        return command;
    }

    private static int Run(Terminal terminal, string folder, bool tensors, bool json)
    {
        CheckpointInspection found = CheckpointInspection.Of(folder);
        if (json)
        {
            var result = new JsonObject { ["checkpoint"] = folder };
            foreach ((string section, IReadOnlyList<Finding> findings) in found.Sections)
            {
                var values = new JsonObject();
                foreach (Finding finding in findings)
                {
                    values[finding.Key] = finding.Value?.DeepClone();
                }

                result[section] = values;
            }

            if (tensors)
            {
                result["tensors_listed"] = new JsonArray([.. found.Tensors.Select(static tensor => (JsonNode)new JsonObject
                {
                    ["name"] = tensor.Name,
                    ["type"] = tensor.Type.ToString(),
                    ["shape"] = new JsonArray([.. tensor.Shape.ToArray().Select(static length => (JsonNode)length)]),
                })]);
            }

            result["problems"] = new JsonArray([.. found.Problems.Select(static problem => (JsonNode)problem)]);
            terminal.Output.WriteLine(result.ToJsonString(JsonText.Indented));
        }
        else
        {
            foreach ((string section, IReadOnlyList<Finding> findings) in found.Sections)
            {
                terminal.Output.WriteLine(section);
                foreach (Finding finding in findings)
                {
                    terminal.Output.WriteLine($"  {finding.Words,-26} {finding.Shown}");
                }
            }

            foreach (ListedTensor tensor in tensors ? found.Tensors : [])
            {
                terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {tensor.Type,-5} [{string.Join(", ", tensor.Shape.ToArray())}] {tensor.Name}"));
            }

            terminal.Output.WriteLine(found.Problems.Count == 0 ? "no problems" : "problems");
            foreach (string problem in found.Problems)
            {
                terminal.Output.WriteLine("  " + problem);
            }
        }

        return found.Problems.Count == 0 ? ExitCode.Success : ExitCode.Failure;
    }
}
