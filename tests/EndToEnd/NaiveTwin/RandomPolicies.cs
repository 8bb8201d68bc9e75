using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>Random declarations that the planner accepts for a geometry, as C# attributes.</summary>
internal sealed class RandomPolicies(ModelGeometry geometry, int seed)
{
    private static readonly TypeArgument Norm = new("TScorer", "global::" + typeof(Declared.NormScorer).FullName, typeof(Declared.NormScorer).FullName!);
    private readonly Random _random = new(seed);
    private Func<PolicyDeclaration>[]? _kinds;

    /// <summary>Distinct declarations, the dense one among them.</summary>
    public IReadOnlyList<string> Take(int count)
    {
        var declarations = new SortedSet<string>(StringComparer.Ordinal) { "" };
        while (declarations.Count < count)
        {
            List<PolicyDeclaration> policies = [.. Enumerable.Range(0, _random.Next(1, 5)).Select(_ => Next())];
            bool declarable = policies.GroupBy(static p => p.Name).All(static same => same.Key is "PruneVisual" or "MergeVisual" or "RandomPrune" or "FreezeVisual" or "YopoHeads" || same.Count() == 1);
            if (declarable && Planner.Plan(geometry, policies).Problems.Count == 0)
            {
                declarations.Add(string.Join("\n", policies.Select(static p => "[" + Declared(p) + "]")));
            }
        }

        return [.. declarations];
    }

    private PolicyDeclaration Next()
    {
        _kinds ??= Kinds();
        return _kinds[_random.Next(_kinds.Length)]();
    }

    /// <summary>A line a method, in the order in which they came; one that stands here again is drawn more often. A new one goes to the end.</summary>
    private Func<PolicyDeclaration>[] Kinds() =>
    [
        () => new("FastV", new IntegerArgument("K", _random.Next(1, geometry.Text.Layers)), new RealArgument("R", _random.Next(1, 20) / 20.0)),
        () => new("ShortV", new LayersArgument("layers", Layers())),
        () => new("Vtw", new IntegerArgument("K", _random.Next(1, geometry.Text.Layers))),
        () => new("PruneVisual", new IntegerArgument("AfterLayer", _random.Next(0, geometry.Text.Layers - 1)), new IntegerArgument("Keep", _random.Next(1, geometry.VisualTokens))),
        () => new("RandomPrune", new IntegerArgument("AfterLayer", _random.Next(-1, geometry.Text.Layers - 1)), new IntegerArgument("Keep", _random.Next(1, geometry.VisualTokens)), new IntegerArgument("Seed", _random.Next(-3, 4))),
        () => new("PruneVisual", Norm, new IntegerArgument("AfterLayer", _random.Next(-1, geometry.Text.Layers - 1)), new RealArgument("KeepRatio", _random.Next(1, 20) / 20.0)),
        () => new("PyramidDrop", new RealArgument("Lambda", _random.Next(4, 19) / 20.0), new IntegerArgument("S", _random.Next(2, geometry.Text.Layers + 1))),
        () => new("PruneVisual", new IntegerArgument("AfterLayer", _random.Next(0, geometry.Text.Layers - 1)), new RealArgument("KeepRatio", _random.Next(1, 20) / 20.0)),
        () => new("FreezeVisual", new LayersArgument("layers", Layers())),
        () => FrozenRange(),
        () => new("VisionZip", new IntegerArgument("Dominant", _random.Next(1, 24)), new IntegerArgument("Contextual", _random.Next(0, 12))),
        () => new("VtcCls", new IntegerArgument("Keep", _random.Next(1, geometry.VisualTokens)), new IntegerArgument("Layer", _random.Next(0, geometry.Vision.FeatureLayers))),
        () => new("DivPrune", new RealArgument("Ratio", _random.Next(1, 20) / 20.0)),
        () => new("GPrune", new IntegerArgument("Keep", _random.Next(1, geometry.VisualTokens)), new RealArgument("Threshold", 0.1), new RealArgument("Temperature", 0.1)),
        () => new("PruneVisual", new IntegerArgument("AfterLayer", _random.Next(0, geometry.Text.Layers - 1)), new IntegerArgument("Keep", _random.Next(1, geometry.VisualTokens)), new ChoiceArgument("Score", "TextAttention")),
        () => new("MergeVisual", Norm, new IntegerArgument("AfterLayer", _random.Next(-1, geometry.Text.Layers - 1)), new RealArgument("KeepRatio", _random.Next(1, 20) / 20.0)),
        () => new("Victor", new IntegerArgument("M", 4), new IntegerArgument("K", _random.Next(1, geometry.Text.Layers))),
        () => new(
            "SparsityMeetsSimilarity",
            new ChoiceArgument("Similarity", Of("Cosine", "ClsAttention")),
            new ChoiceArgument("Cut", Of("Chord", "SecondDifference", "MaxDerivative", "LocalOutlier")),
            new IntegerArgument("Window", _random.Next(0, 5) * 2 + 1),
            new RealArgument("AtLeast", _random.Next(0, 10) / 20.0),
            new RealArgument("AtMost", _random.Next(10, 21) / 20.0),
            new ChoiceArgument("Round2", Of("None", "Visual", "VisualAndText")),
            new IntegerArgument("K2", _random.Next(1, geometry.Text.Layers)),
            new RealArgument("Theta", _random.Next(10, 30) / 20.0)),
        () => new(
            "SparsityMeetsSimilarity",
            new ChoiceArgument("Similarity", Of("Cosine", "ClsAttention")),
            new ChoiceArgument("Cut", Of("Chord", "SecondDifference", "MaxDerivative", "LocalOutlier")),
            new IntegerArgument("Window", _random.Next(0, 5) * 2 + 1),
            new RealArgument("AtLeast", _random.Next(0, 10) / 20.0),
            new RealArgument("AtMost", _random.Next(10, 21) / 20.0),
            new ChoiceArgument("Round2", Of("None", "Visual", "VisualAndText")),
            new IntegerArgument("K2", _random.Next(1, geometry.Text.Layers)),
            new RealArgument("Theta", _random.Next(10, 30) / 20.0)),
        () => new(Of("PruMerge", "PruMergePlus"), new IntegerArgument("Neighbours", _random.Next(1, 40))),
        () => new("FoPru", new RealArgument("KeepRatio", _random.Next(2, 19) / 20.0), new ChoiceArgument("Strategy", Of("Rank", "Row")), new ChoiceArgument("Significance", Of("Received", "ClsAttention"))),
        () => new("CDPruner", new IntegerArgument("Keep", _random.Next(1, 20))),
        () => new("DyVte"),
        () => new("ToMe", new IntegerArgument("R", _random.Next(1, 14)), new RealArgument("Inflection", _random.Next(-4, 5) / 4.0), new ChoiceArgument("ProportionalAttention", _random.Next(2) == 0 ? "true" : "false")),
        () => new(
            "FiCoCoV", new IntegerArgument("R", _random.Next(1, 12)), new IntegerArgument("StartLayer", _random.Next(0, geometry.Vision.FeatureLayers)), new RealArgument("Epsilon", _random.Next(80, 101) / 100.0),
            new ChoiceArgument("Mode", _random.Next(2) == 0 ? "Paper" : "Code"), new ChoiceArgument("Redundancy", _random.Next(3) switch { 0 => "RawLogits", 1 => "SoftmaxRows", _ => "SoftmaxColumns" }),
            new IntegerArgument("Window", _random.Next(1, 4))),
        () => new("FiCoCoL", new IntegerArgument("R", _random.Next(1, 8)), new IntegerArgument("StartLayer", _random.Next(0, geometry.Text.Layers - 1)), new RealArgument("Epsilon", _random.Next(10, 21) / 20.0),
            new ChoiceArgument("Mode", _random.Next(2) == 0 ? "Paper" : "Code"), new ChoiceArgument("Redundancy", Of("RawLogits", "SoftmaxRows", "SoftmaxColumns"))),
        () => new(
            "RecoverableCompression", new ChoiceArgument("Cut", Of("Chord", "SecondDifference", "MaxDerivative", "LocalOutlier")), new IntegerArgument("Neighbours", _random.Next(1, 40)),
            new RealArgument("TextWeight", _random.Next(0, 100))),
        () => new("FfnSkipLlm", new RealArgument("Tau", _random.Next(80, 98) / 100.0), new IntegerArgument("K", _random.Next(1, 4)), new IntegerArgument("ColdFirst", _random.Next(0, 3)), new IntegerArgument("ColdLast", _random.Next(0, 3)),
            new IntegerArgument("WarmUp", _random.Next(0, 3))),
        () => _random.Next(2) == 0
            ? new("Elip", new LayersArgument("layers", EquatableArray.Of(_random.Next(0, geometry.Vision.FeatureLayers))), new NumbersArgument("Ratios", EquatableArray.Of(_random.Next(1, 19) / 20.0)), new IntegerArgument("LookAhead", _random.Next(0, 3)))
            : new("Elip", new LayersArgument("layers", EquatableArray.Of(0, 1)), new NumbersArgument("Ratios", EquatableArray.Of(_random.Next(10, 19) / 20.0, _random.Next(1, 9) / 20.0))),
        () => new("PruneAndMerge", new LayersArgument("layers", _random.Next(3) switch { 0 => EquatableArray.Of(0), 1 => EquatableArray.Of(1), _ => EquatableArray.Of(0, 1) }), new IntegerArgument("Keep", 18)),
        () => new("Aim", new IntegerArgument("Halvings", _random.Next(0, 3)), new ChoiceArgument("Order", Of("Similarity", "Relative")), new IntegerArgument("L1", _random.Next(-1, 3)), new IntegerArgument("L2", _random.Next(1, geometry.Text.Layers - 1))),
        () => new("SepLlm", new IntegerArgument("A", _random.Next(0, 5)), new IntegerArgument("N", _random.Next(1, 20))),
        () => new("Yopo", new IntegerArgument("W", _random.Next(0, 4) is var w && w == 0 ? 0 : (2 * w) - 1), new IntegerArgument("Ratio", _random.Next(1, 5)),
            new IntegerArgument("FirstLayer", _random.Next(0, geometry.Text.Layers - 1)), new ChoiceArgument("Causal", _random.Next(2) == 0 ? "true" : "false")),
        () => new("YopoHeads", new LayersArgument("heads", Heads()), new IntegerArgument("Layer", _random.Next(0, geometry.Text.Layers))),
        () => new("RedundancyLens", new LayersArgument("layers", Layers()), new RealArgument("K", _random.Next(1, 18) / 20.0), new RealArgument("M", _random.Next(1, 10) / 20.0),
            new IntegerArgument("RA", _random.Next(1, 30)), new ChoiceArgument("FeedForward", _random.Next(3) > 0 ? "true" : "false"), new ChoiceArgument("Attention", _random.Next(3) > 0 ? "true" : "false")),
        () => new("Dart", new IntegerArgument("K", _random.Next(1, geometry.Text.Layers)), new RealArgument("R", _random.Next(1, 20) / 20.0), new IntegerArgument("ImagePivots", _random.Next(1, 4)), new IntegerArgument("TextPivots", _random.Next(0, 30))),
        () => new("ExitVisual", new IntegerArgument("AfterLayer", _random.Next(0, geometry.Text.Layers - 1))),
        () => SparseVlm("SparseVlm", new RealArgument("Tau", _random.Next(0, 11) / 10.0)),
        () => new(
            "SparseVlm", Behind(), _random.Next(2) == 0 ? new RealArgument("Lambda", _random.Next(1, 21) / 20.0) : new RealArgument("Scale", _random.Next(5, 40) / 10.0), new RealArgument("Tau", _random.Next(0, 11) / 10.0)),
        () => SparseVlm("SparseVlmPlus", new IntegerArgument("Heads", _random.Next(1, geometry.Text.Heads + 1))),
        () => new("ExitVisual", new IntegerArgument("AfterLayer", _random.Next(0, geometry.Text.Layers - 1))),
        () => new("ExitVisual", new IntegerArgument("AfterLayer", _random.Next(0, geometry.Text.Layers - 1))),
    ];

    /// <summary>One or two layers behind which tokens leave.</summary>
    private LayersArgument Behind()
    {
        int first = _random.Next(0, geometry.Text.Layers - 2);
        return new("Layers", _random.Next(2) == 0 ? EquatableArray.Of(first) : EquatableArray.Of(first, _random.Next(first + 1, geometry.Text.Layers - 1)), IsNamed: true);
    }

    private PolicyDeclaration SparseVlm(string name, PolicyArgument other)
    {
        LayersArgument layers = Behind();
        int keep = _random.Next(2, geometry.VisualTokens);
        return new(name, layers, new LayersArgument("Keep", layers.Layers.Count == 1 ? EquatableArray.Of(keep) : EquatableArray.Of(keep, _random.Next(1, keep)), IsNamed: true), other);
    }

    private string Of(params string[] members) => members[_random.Next(members.Length)];

    /// <summary>The declaration as an attribute: members of enumerations with the names of these.</summary>
    private static string Declared(PolicyDeclaration policy) => policy.ToString()
        .Replace("Score = ", "Score = TokenScore.", StringComparison.Ordinal)
        .Replace("Strategy = ", "Strategy = FoPruStrategy.", StringComparison.Ordinal)
        .Replace("Significance = ", "Significance = PatchSignificance.", StringComparison.Ordinal)
        .Replace("Cut = ", "Cut = InflectionCut.", StringComparison.Ordinal)
        .Replace("Similarity = ", "Similarity = ClsSimilarity.", StringComparison.Ordinal)
        .Replace("Round2 = ", "Round2 = SecondRound.", StringComparison.Ordinal)
        .Replace("Order = ", "Order = AimOrder.", StringComparison.Ordinal)
        .Replace("Mode = ", "Mode = FiCoCoMode.", StringComparison.Ordinal)
        .Replace("Redundancy = ", "Redundancy = FiCoCoRedundancy.", StringComparison.Ordinal);

    private PolicyDeclaration FrozenRange()
    {
        int first = _random.Next(geometry.Text.Layers);
        return new("FreezeVisual", new IntegerArgument("FirstLayer", first), new IntegerArgument("LastLayer", _random.Next(first, geometry.Text.Layers)));
    }

    private EquatableArray<int> Heads() => new([.. Enumerable.Range(0, geometry.Text.Heads).Where(_ => _random.Next(2) == 0).DefaultIfEmpty(0)]);

    private EquatableArray<int> Layers()
    {
        int[] layers = [.. Enumerable.Range(0, geometry.Text.Layers).Where(_ => _random.Next(3) == 0)];
        return new EquatableArray<int>(layers.Length > 0 ? layers : [_random.Next(geometry.Text.Layers)]);
    }
}
