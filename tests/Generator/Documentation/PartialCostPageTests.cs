using System.Globalization;
using System.Text.RegularExpressions;
using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>The pages of Yopo and RedundancyLens quote what plans of LLaVA-1.5-7B cost; the numbers are the plans'.</summary>
public sealed partial class PartialCostPageTests
{
    private const int TextTokens = 64;

    // ShortV's published ranking of the model, from which the lists of both pages are.
    private static readonly int[] Ranking = [31, 29, 30, 28, 0, 26, 27, 25, 24, 22, 23, 21, 2, 3, 20, 18, 17, 12, 19];

    [Fact]
    public void TheTableOfYopoIsThatOfThePlans()
    {
        string page = Page("Yopo");
        MatchCollection rows = Row().Matches(page);
        Assert.Equal(["Yopo", "Yopo(W = 0)", "Yopo(Ratio = 1)", "Yopo(LayerCut = 20)"], rows.Select(static row => row.Groups["declaration"].Value));
        foreach (Match row in rows)
        {
            PolicyArgument[] arguments = [.. Argument().Matches(row.Groups["declaration"].Value).Select(static argument =>
                new IntegerArgument(argument.Groups["name"].Value, int.Parse(argument.Groups["value"].Value, CultureInfo.InvariantCulture)))];
            ReductionPlan plan = Geometries.Plan(Geometries.Llava, new PolicyDeclaration("Yopo", arguments));
            Assert.Equal((Teraflops(plan), Share(plan)), (row.Groups["flops"].Value, row.Groups["share"].Value));
        }

        Assert.Contains($"LLaVA-1.5-7B takes {Dense} TFLOPs", page, StringComparison.Ordinal);
        var near = new PartialWork(VisualReach.Neighbours, Distance: 2);
        Assert.Contains($"at W = 5 a row meets {near.KeysRead(576, 24)} visual keys in place of 576", page, StringComparison.Ordinal);
    }

    [Fact]
    public void TheFiguresOfRedundancyLensAreThoseOfThePlans()
    {
        string page = Page("RedundancyLens");
        ReductionPlan eleven = Lens(11);
        ReductionPlan nineteen = Lens(19);
        ReductionPlan hollow = Lens(19, feedForward: false);
        Assert.Contains($"LLaVA-1.5-7B takes {Dense} TFLOPs; with 11 layers in the list {Teraflops(eleven)} ({Share(eleven)} %), with 19 layers {Teraflops(nineteen)} ({Share(nineteen)} %), by the plan", page, StringComparison.Ordinal);
        Assert.Contains($"19 layers of hollow attention alone leave {Share(hollow)} %", page, StringComparison.Ordinal);

        // Of three weights all visual rows multiply a share K, and the probes besides all of two.
        double neurons = 0.2 + (0.1 * 2 / 3);
        Assert.Contains($"K = 0.2 and M = 0.1 leave {neurons.ToString("F2", CultureInfo.InvariantCulture)} of the feed-forward products of visual tokens", page, StringComparison.Ordinal);
    }

    private static string Dense => (Geometries.Plan(Geometries.Llava).Flops(FlopsConvention.C, TextTokens) / 1e12).ToString("F2", CultureInfo.InvariantCulture);

    private static ReductionPlan Lens(int layers, bool feedForward = true) => Geometries.Plan(Geometries.Llava, new PolicyDeclaration(
        "RedundancyLens",
        new LayersArgument("layers", new EquatableArray<int>([.. Ranking.Take(layers)])),
        new ChoiceArgument("FeedForward", feedForward ? "true" : "false")));

    private static string Teraflops(ReductionPlan plan) => (plan.Flops(FlopsConvention.C, TextTokens) / 1e12).ToString("F2", CultureInfo.InvariantCulture);

    private static string Share(ReductionPlan plan) =>
        (100 * plan.Flops(FlopsConvention.C, TextTokens) / plan.DenseFlops(FlopsConvention.C, TextTokens)).ToString("F1", CultureInfo.InvariantCulture);

    private static string Page(string method) => File.ReadAllText(RepositoryFolder.Combine("generator", "docs", "methods", method + ".md"));

    [GeneratedRegex(@"^\| `(?<declaration>Yopo[^`]*)`[^|]*\| (?<flops>[\d.]+) \| (?<share>[\d.]+) % \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"(?<name>\w+) = (?<value>\d+)")]
    private static partial Regex Argument();
}
