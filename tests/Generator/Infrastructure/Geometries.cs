using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>Geometries to plan with, and policies in short.</summary>
internal static class Geometries
{
    public static ModelGeometry Shapes { get; } = ModelGeometryReader.Read(ModelFile.Shapes.Json!).Geometry!;

    public static ModelGeometry Llava { get; } = ModelGeometryReader.Read(ModelFile.Llava.Json!).Geometry!;

    /// <summary>A model with so many layers and visual tokens; the tokens must be a square.</summary>
    public static ModelGeometry Of(int layers, int visualTokens)
    {
        int side = (int)Math.Sqrt(visualTokens);
        Assert.Equal(visualTokens, side * side);
        return Shapes with
        {
            Vision = Shapes.Vision with { ImageSize = side * Shapes.Vision.PatchSize },
            Text = Shapes.Text with { Layers = layers },
        };
    }

    public static PolicyDeclaration FastV(int k, double r) => new("FastV", new IntegerArgument("K", k), new RealArgument("R", r));

    public static PolicyDeclaration ShortV(params int[] layers) => new("ShortV", new LayersArgument("layers", new EquatableArray<int>(layers)));

    public static PolicyDeclaration Vtw(int k) => new("Vtw", new IntegerArgument("K", k));

    public static PolicyDeclaration DyVte { get; } = new("DyVte");

    public static PolicyDeclaration FfnSkip(int k, int coldFirst, int coldLast, int warmUp = 2) =>
        new("FfnSkipLlm", new IntegerArgument("K", k), new IntegerArgument("ColdFirst", coldFirst), new IntegerArgument("ColdLast", coldLast), new IntegerArgument("WarmUp", warmUp));

    public static PolicyDeclaration SepLlm(int a, int n) => new("SepLlm", new IntegerArgument("A", a), new IntegerArgument("N", n));

    public static PolicyDeclaration Victor(int m, int k) => new("Victor", new IntegerArgument("M", m), new IntegerArgument("K", k));

    public static PolicyDeclaration Prune(int afterLayer, int keep) => new("PruneVisual", new IntegerArgument("AfterLayer", afterLayer), new IntegerArgument("Keep", keep));

    public static PolicyDeclaration PruneShare(int afterLayer, double ratio) => new("PruneVisual", new IntegerArgument("AfterLayer", afterLayer), new RealArgument("KeepRatio", ratio));

    public static PolicyDeclaration RandomPrune(int afterLayer, int keep, int seed) =>
        new("RandomPrune", new IntegerArgument("AfterLayer", afterLayer), new IntegerArgument("Keep", keep), new IntegerArgument("Seed", seed));

    /// <summary>A prune by the scorer that the recorder defines.</summary>
    public static PolicyDeclaration PruneByScorer(int afterLayer, double ratio) => new(
        "PruneVisual", new TypeArgument("TScorer", "global::Espalier.Ascending", "Ascending"), new IntegerArgument("AfterLayer", afterLayer), new RealArgument("KeepRatio", ratio));

    public static PolicyDeclaration MergeVisual(int afterLayer, double ratio) => new(
        "MergeVisual", new TypeArgument("TScorer", "global::Espalier.Ascending", "Ascending"), new IntegerArgument("AfterLayer", afterLayer), new RealArgument("KeepRatio", ratio));

    public static PolicyDeclaration FiCoCoL(int r, int startLayer, string redundancy = "RawLogits") =>
        new("FiCoCoL", new IntegerArgument("R", r), new IntegerArgument("StartLayer", startLayer), new ChoiceArgument("Redundancy", redundancy));

    public static PolicyDeclaration PyramidDrop(double lambda, int s) => new("PyramidDrop", new RealArgument("Lambda", lambda), new IntegerArgument("S", s));

    public static PolicyDeclaration SparseVlm(int[] layers, int[] keep, double tau = 0.3) =>
        new("SparseVlm", new LayersArgument("Layers", new EquatableArray<int>(layers), IsNamed: true), new LayersArgument("Keep", new EquatableArray<int>(keep), IsNamed: true), new RealArgument("Tau", tau));

    public static PolicyDeclaration SparseVlmByRank(int[] layers, string rule, double value, double tau) =>
        new("SparseVlm", new LayersArgument("Layers", new EquatableArray<int>(layers), IsNamed: true), new RealArgument(rule, value), new RealArgument("Tau", tau));

    public static PolicyDeclaration SparseVlmPlus(int[] layers, int[] keep, int heads) =>
        new("SparseVlmPlus", new LayersArgument("Layers", new EquatableArray<int>(layers), IsNamed: true), new LayersArgument("Keep", new EquatableArray<int>(keep), IsNamed: true), new IntegerArgument("Heads", heads));

    public static PolicyDeclaration FastVMean(int k, double r) => new("FastV", new IntegerArgument("K", k), new RealArgument("R", r), new ChoiceArgument("Rows", "Mean"));

    public static PolicyDeclaration Freeze(params int[] layers) => new("FreezeVisual", new LayersArgument("layers", new EquatableArray<int>(layers)));

    public static PolicyDeclaration FreezeRange(int first, int last) => new("FreezeVisual", new IntegerArgument("FirstLayer", first), new IntegerArgument("LastLayer", last));

    public static PolicyDeclaration Exit(int afterLayer) => new("ExitVisual", new IntegerArgument("AfterLayer", afterLayer));

    public static PolicyDeclaration FiCoCoV(int r, int startLayer) => new("FiCoCoV", new IntegerArgument("R", r), new IntegerArgument("StartLayer", startLayer));

    public static PolicyDeclaration Elip(int[] places, double[] ratios, int ahead = 0) => new(
        "Elip", new NumbersArgument("Ratios", new EquatableArray<double>(ratios)), new LayersArgument("layers", new EquatableArray<int>(places)), new IntegerArgument("LookAhead", ahead));

    public static PolicyDeclaration PruneAndMerge(int keep, params int[] layers) => new("PruneAndMerge", new LayersArgument("layers", new EquatableArray<int>(layers)), new IntegerArgument("Keep", keep));

    public static PolicyDeclaration ToMe(int r, double inflection) => new("ToMe", new IntegerArgument("R", r), new RealArgument("Inflection", inflection));

    public static PolicyDeclaration VisionZip(int dominant, int contextual) => new("VisionZip", new IntegerArgument("Dominant", dominant), new IntegerArgument("Contextual", contextual));

    public static PolicyDeclaration VtcCls(int keep, int layer) => new("VtcCls", new IntegerArgument("Keep", keep), new IntegerArgument("Layer", layer));

    public static PolicyDeclaration DivPrune(int keep) => new("DivPrune", new IntegerArgument("Keep", keep));

    public static PolicyDeclaration DivPruneShare(double ratio) => new("DivPrune", new RealArgument("Ratio", ratio));

    public static PolicyDeclaration GPrune(double ratio, int iterations) => new("GPrune", new RealArgument("KeepRatio", ratio), new IntegerArgument("Iterations", iterations));

    public static PolicyDeclaration Similarity(double atLeast, double atMost, int k2, string round) => new(
        "SparsityMeetsSimilarity", new RealArgument("AtMost", atMost), new RealArgument("AtLeast", atLeast), new IntegerArgument("K2", k2), new ChoiceArgument("Round2", round));

    public static PolicyDeclaration PruMerge(bool plus, int neighbours) => new(plus ? "PruMergePlus" : "PruMerge", new IntegerArgument("Neighbours", neighbours));

    public static PolicyDeclaration RecoverableCompression(int neighbours) => new("RecoverableCompression", new IntegerArgument("Neighbours", neighbours));

    public static PolicyDeclaration FoPru(double ratio, string strategy) => new("FoPru", new RealArgument("KeepRatio", ratio), new ChoiceArgument("Strategy", strategy));

    public static PolicyDeclaration CDPruner(int keep) => new("CDPruner", new IntegerArgument("Keep", keep));

    public static PolicyDeclaration Aim(int halvings, int l1, int l2) => new("Aim", new IntegerArgument("Halvings", halvings), new IntegerArgument("L1", l1), new IntegerArgument("L2", l2));

    public static PolicyDeclaration Yopo(int w, int ratio, int first, bool causal = true) => new(
        "Yopo", new IntegerArgument("W", w), new IntegerArgument("Ratio", ratio), new IntegerArgument("FirstLayer", first), new ChoiceArgument("Causal", causal ? "true" : "false"));

    public static PolicyDeclaration YopoHeads(int layer, params int[] heads) => new("YopoHeads", new LayersArgument("heads", new EquatableArray<int>(heads)), new IntegerArgument("Layer", layer));

    public static PolicyDeclaration Lens(double k, double m, int reach, params int[] layers) => new(
        "RedundancyLens", new LayersArgument("layers", new EquatableArray<int>(layers)), new RealArgument("K", k), new RealArgument("M", m), new IntegerArgument("RA", reach));

    public static PolicyDeclaration Dart(int k, double r) => new("Dart", new IntegerArgument("K", k), new RealArgument("R", r), new IntegerArgument("ImagePivots", 2), new IntegerArgument("TextPivots", 3));

    /// <summary>A plan that must come out without a problem.</summary>
    public static ReductionPlan Plan(ModelGeometry geometry, params PolicyDeclaration[] policies)
    {
        PlanResult result = Planner.Plan(geometry, policies);
        Assert.Empty(result.Problems);
        return result.Plan!;
    }
}
