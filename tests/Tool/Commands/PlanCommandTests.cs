using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Espalier.Tests;

public sealed class PlanCommandTests
{
    private const string FastV = "[FastV(K = 2, R = 0.5)]";

    [Fact]
    public async Task PoliciesStandSideBySide()
    {
        ToolRun run = await ToolRun.Of("plan", ToolRun.Shapes, "-p", FastV, "-p", "[Vtw(K = 9)]");
        Assert.Equal(
            """
            policy                    visual tokens      rows   GFLOPs   of dense   KV MiB   of dense
            dense                     144             100.0 %    2.019    100.0 %     1.52    100.0 %
            [FastV(K = 2, R = 0.5)]   144 → 72         60.0 %    1.400     69.3 %     1.10     72.3 %
            [Vtw(K = 9)]              144 → 0          90.0 %    1.872     92.7 %     1.42     93.1 %
            10 layers, 144 visual tokens an image, 64 text tokens. Operations: the decoder's prefill, convention C. KV cache in fp32.

            """.ReplaceLineEndings("\n"),
            run.Output);
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    [Fact]
    public async Task JsonSaysWhatTheTableSays()
    {
        ToolRun run = await ToolRun.Of("plan", ToolRun.Shapes, "-p", FastV, "--text-tokens", "13", "--json");
        JsonNode plan = run.Json["policies"]![1]!;
        Assert.Equal(FastV, plan["policy"]!.GetValue<string>());
        Assert.Equal([144, 72], plan["segments"]!.AsArray().Select(static segment => segment!["visual_tokens"]!.GetValue<int>()));
        Assert.Equal("LastQueryAttention", plan["steps"]![0]!["score"]!.GetValue<string>());
        Assert.Equal(0.607, plan["flops"]!["share"]!.GetValue<double>(), 0.001);
        Assert.Equal(13, run.Json["text_tokens"]!.GetValue<int>());
    }

    [Fact]
    public async Task ARejectedPolicyIsMarkedAndNothingElseIsPrinted()
    {
        ToolRun run = await ToolRun.Of("plan", ToolRun.Shapes, "-p", "[FastV(K = 20, R = 0.5)]", "-p", FastV);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("", run.Output);
        string[] lines = run.Errors.Split('\n');
        Assert.Equal("  [FastV(K = 20, R = 0.5)]", lines[0]);
        Assert.Equal("         ^^^^^^", lines[1]);
        Assert.StartsWith("policy(1,8): error ESP0101: ", lines[2], StringComparison.Ordinal);
        Assert.EndsWith("/generator/docs/diagnostics/ESP0101.md)", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARejectedPolicyIsInTheJsonToo()
    {
        ToolRun run = await ToolRun.Of("plan", ToolRun.Shapes, "-p", "[FastW]", "--json");
        Assert.Equal(1, run.ExitCode);
        JsonNode policy = run.Json["policies"]![1]!;
        Assert.False(policy["valid"]!.GetValue<bool>());
        Assert.Equal("CS0246", policy["diagnostics"]![0]!["id"]!.GetValue<string>());
        Assert.Equal(2, policy["diagnostics"]![0]!["column"]!.GetValue<int>());
    }

    [Fact]
    public async Task ThePictureIsWellFormedAndTheSameInEveryCulture()
    {
        using var folder = new TemporaryFolder();
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            foreach (string point in (string[])[".", ","])
            {
                // There is one culture only here; its number formats can still be bent.
                CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = point } };
                Assert.Equal(0, (await ToolRun.Of("plan", ToolRun.Shapes, "-p", FastV, "-p", "[ShortV(5, 6)]", "--svg", folder[point + "svg"])).ExitCode);
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        string svg = File.ReadAllText(folder[".svg"]);
        Assert.Equal(svg, File.ReadAllText(folder[",svg"]));
        XElement root = XDocument.Parse(svg).Root!;
        Assert.Equal("svg", root.Name.LocalName);
        Assert.Contains(root.Elements(), static element => element.Attribute("stroke-dasharray") is not null);
        Assert.Contains("69.3 %", svg, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheLoopIsWhatTheGeneratorWrites()
    {
        ToolRun run = await ToolRun.Of("plan", ToolRun.Shapes, "-p", FastV, "--loop", "--details");
        Assert.Contains("pass.RunScored(layer: 1, scores);", run.Output, StringComparison.Ordinal);
        Assert.Contains("prune 144 -> 72 by last-query attention: FastV(K = 2, R = 0.5)", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatCannotBeDoneIsOneLine()
    {
        using var folder = new TemporaryFolder();
        await Fails(1, "no-such-folder", "plan", "no-such-folder");
        await Fails(1, "config.json", "plan", folder.Path);
        await Fails(1, "missing", "plan", ToolRun.Shapes, "--svg", folder["missing/plan.svg"]);
        await Fails(2, "--text-tokens is a whole number of at least 0, not -1.", "plan", ToolRun.Shapes, "--text-tokens", "-1");

        static async Task Fails(int code, string part, params string[] args)
        {
            ToolRun run = await ToolRun.Of(args);
            Assert.Equal(code, run.ExitCode);
            Assert.Contains(part, run.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AnUnknownPolicyNamesTheKnownOnes()
    {
        ToolRun run = await ToolRun.Of("plan", ToolRun.Shapes, "-p", "[FastW]");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("policies are ", run.Errors, StringComparison.Ordinal);
        Assert.Contains("CDPruner, ", run.Errors, StringComparison.Ordinal);
        Assert.Contains(", FastV, ", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFolderThatIsMissingIsNamedWithTheFix()
    {
        ToolRun run = await ToolRun.Of("plan", ToolRun.Shapes, "--svg", "no/such/folder/plan.svg");
        Assert.Equal(1, run.ExitCode);
        Assert.EndsWith("Make the folder first, or name another file.\n", run.Errors, StringComparison.Ordinal);
    }
}
