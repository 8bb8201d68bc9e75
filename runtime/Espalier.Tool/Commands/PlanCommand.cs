using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Espalier.Calibration;
using Espalier.CommandLine;
using Espalier.Evaluation;
using Espalier.Planning;

namespace Espalier.Tool.Commands;

/// <summary>Shows what policies would do to a model, side by side, without loading a weight.</summary>
internal static class PlanCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> checkpoint = SharedOptions.Checkpoint();
        Option<string[]> policies = SharedOptions.Policies();
        Option<int> text = NumberOption.Create("--text-tokens", "Text tokens of the prompt that costs are told for.", static value => value >= 0, "is a whole number of at least 0", CostModel.AssumedTextTokens);
        Option<string?> svg = new("--svg") { Description = "Writes a picture: rows of each layer, operations and KV cache against the dense model.", HelpName = "file" };
        Option<bool> details = new("--details") { Description = "Adds each plan, layer by layer." };
        Option<bool> loop = new("--loop") { Description = "Adds the C# that the generator writes for each policy." };
        Option<bool> json = SharedOptions.Json();
        var command = new DocumentedCommand(
            "plan",
            "Shows what policies make of a model: visual tokens by segment, rows, operations and KV cache beside the dense model. Needs config.json only, and computes nothing.",
            "plan models/llava -p '[FastV(K = 2, R = 0.5)]' -p '[FastV(K = 2, R = 0.5)] [Vtw(K = 20)]' --svg plan.svg",
            "plan models/llava -p '[PyramidDrop]' --details",
            "plan models/llava -p '[FastV(K = 2, R = 0.5)]' --loop",
            "plan models/llava -p '[FastV(K = 2, R = 0.5)]' --json")
        {
            checkpoint, policies, text, svg, details, loop, json,
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(
            terminal,
            parsed.GetRequiredValue(checkpoint),
            parsed.GetValue(policies)!,
            parsed.GetValue(text),
            parsed.GetValue(svg),
            parsed.GetValue(details),
            parsed.GetValue(loop),
            parsed.GetValue(json),
            cancellationToken)));
        return command;
    }

    private static int Run(Terminal terminal, string folder, string[] texts, int textTokens, string? svg, bool details, bool loop, bool json, CancellationToken cancellationToken)
    {
        OutputFile.Check(svg, "--svg");
        using PolicyCompilation compilation = Policies.Compile(terminal, folder, ["", .. texts], cancellationToken);
        if (json)
        {
            var result = new JsonObject
            {
                ["checkpoint"] = folder,
                ["text_tokens"] = textTokens,
                ["flops_convention"] = nameof(FlopsConvention.C),
                ["policies"] = new JsonArray([.. compilation.Policies.Select(policy => (JsonNode)ToJson(policy, textTokens, loop))]),
            };
            terminal.Output.WriteLine(result.ToJsonString(JsonText.Indented));
        }

        IReadOnlyList<Candidate> candidates = Policies.Candidates(compilation);
        if (!json)
        {
            terminal.Write(Table(candidates, textTokens));
            terminal.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{candidates[0].Plan.Layers} layers, {candidates[0].Plan.Geometry.VisualTokens} visual tokens an image, {textTokens} text tokens. Operations: the decoder's prefill, convention C. KV cache in fp32."));
            if (candidates.Any(static candidate => candidate.Plan.IsDynamic))
            {
                terminal.Output.WriteLine("≤: the image decides how many; counts and costs are told at the most.");
            }

            foreach ((Candidate candidate, CompiledPolicy policy) in candidates.Zip(compilation.Policies).Skip(texts.Length > 0 ? 1 : 0))
            {
                if (details || loop)
                {
                    terminal.Output.WriteLine();
                    terminal.Output.WriteLine(candidate.Name);
                }

                terminal.Output.Write(details ? candidate.Plan.ToString() : "");
                terminal.Output.Write(loop ? policy.GeneratedSource : "");
            }
        }

        if (svg is not null)
        {
            File.WriteAllText(svg, PlanChart.Draw([.. candidates.Select(static candidate => (candidate.Name, candidate.Plan))], textTokens));
            terminal.Errors.WriteLine($"wrote {svg}");
        }

        return ExitCode.Success;
    }

    private static ReportTable Table(IReadOnlyList<Candidate> candidates, int textTokens) => new(
        ["policy", "visual tokens", "rows", "GFLOPs", "of dense", "KV MiB", "of dense"],
        2,
        [
            .. candidates.Select(candidate => (IReadOnlyList<string>)
            [
                candidate.Name,
                candidate.TokensBySegment(" → "),
                ReportTable.Share((double)candidate.Plan.VisualRowsComputed / candidate.Plan.DenseVisualRows),
                ReportTable.Number(candidate.Plan.Flops(FlopsConvention.C, textTokens) / 1e9, "F3"),
                ReportTable.Share(candidate.Plan.Flops(FlopsConvention.C, textTokens) / candidate.Plan.DenseFlops(FlopsConvention.C, textTokens)),
                ReportTable.Number(candidate.Plan.KeyValueBytes(textTokens) / (double)(1 << 20), "F2"),
                ReportTable.Share((double)candidate.Plan.KeyValueBytes(textTokens) / candidate.Plan.DenseKeyValueBytes(textTokens)),
            ]),
        ]);

    private static JsonObject ToJson(CompiledPolicy policy, int textTokens, bool loop)
    {
        var result = new JsonObject
        {
            ["policy"] = policy.Text,
            ["valid"] = policy.IsValid,
            ["diagnostics"] = new JsonArray([.. policy.Diagnostics.Select(static diagnostic => (JsonNode)new JsonObject
            {
                ["id"] = diagnostic.Id,
                ["severity"] = diagnostic.IsError ? "error" : "warning",
                ["message"] = diagnostic.Message,
                ["line"] = diagnostic.Line,
                ["column"] = diagnostic.Column,
                ["length"] = diagnostic.Length,
                ["help"] = diagnostic.HelpLink,
            })]),
        };
        if (policy.Plan is not { } plan)
        {
            return result;
        }

        result["segments"] = new JsonArray([.. plan.Segments.Select(segment => (JsonNode)new JsonObject
        {
            ["first_layer"] = segment.FirstLayer,
            ["last_layer"] = segment.LastLayer,
            ["mode"] = segment.Mode.ToString(),
            ["visual_tokens"] = segment.VisualTokens,
            ["at_most"] = plan.IsDynamicAt(segment.FirstLayer),
        })]);
        result["steps"] = new JsonArray([.. plan.Steps.Select(static step => (JsonNode)new JsonObject
        {
            ["site"] = step.Site.ToString(),
            ["after_layer"] = step.AfterLayer,
            ["score"] = step.Score.ToString(),
            ["tokens_before"] = step.TokensBefore,
            ["tokens_after"] = step.TokensAfter,
            ["declaration"] = step.Declaration,
        })]);
        result["visual_rows"] = Pair(plan.VisualRowsComputed, plan.DenseVisualRows);
        result["flops"] = Pair(plan.Flops(FlopsConvention.C, textTokens), plan.DenseFlops(FlopsConvention.C, textTokens));
        result["kv_bytes"] = Pair(plan.KeyValueBytes(textTokens), plan.DenseKeyValueBytes(textTokens));
        if (loop)
        {
            result["loop"] = policy.GeneratedSource;
        }

        return result;
    }

    private static JsonObject Pair<T>(T own, T dense)
        where T : struct, IConvertible => new()
        {
            ["policy"] = JsonValue.Create(own),
            ["dense"] = JsonValue.Create(dense),
            ["share"] = Math.Round(own.ToDouble(CultureInfo.InvariantCulture) / dense.ToDouble(CultureInfo.InvariantCulture), 6),
        };
}
