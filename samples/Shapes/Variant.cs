using Espalier.Evaluation;
using Espalier.Samples.Shapes.Variants;

namespace Espalier.Samples.Shapes;

/// <summary>The declared classes under the names that the command line gives them.</summary>
internal static class Variant
{
    /// <summary>The variant without a policy: what every other one is compared with.</summary>
    public static Candidate Dense { get; } = new("dense", DenseShapes.Plan, DenseShapes.Load);

    /// <summary>All variants, the baseline first.</summary>
    public static IReadOnlyList<Candidate> All { get; } =
    [
        Dense,
        new("fastv", FastVShapes.Plan, FastVShapes.Load),
        new("random", RandomShapes.Plan, RandomShapes.Load),
        new("pyramiddrop", PyramidDropShapes.Plan, PyramidDropShapes.Load),
        new("sparsevlm", SparseVlmShapes.Plan, SparseVlmShapes.Load),
        new("sparsevlmplus", SparseVlmPlusShapes.Plan, SparseVlmPlusShapes.Load),
        new("ficocov", FiCoCoVShapes.Plan, FiCoCoVShapes.Load),
        new("tome", ToMeShapes.Plan, ToMeShapes.Load),
        new("elip", ElipShapes.Plan, ElipShapes.Load),
        new("pruneandmerge", PruneAndMergeShapes.Plan, PruneAndMergeShapes.Load),
        new("visionzip", VisionZipShapes.Plan, VisionZipShapes.Load),
        new("vtccls", VtcClsShapes.Plan, VtcClsShapes.Load),
        new("divprune", DivPruneShapes.Plan, DivPruneShapes.Load),
        new("gprune", GPruneShapes.Plan, GPruneShapes.Load),
        new("similarity", SimilarityShapes.Plan, SimilarityShapes.Load),
        new("prumergeplus", PruMergePlusShapes.Plan, PruMergePlusShapes.Load),
        new("prumerge", PruMergeShapes.Plan, PruMergeShapes.Load),
        new("recoverable", RecoverableShapes.Plan, RecoverableShapes.Load),
        new("dart", DartShapes.Plan, DartShapes.Load),
        new("aim", AimShapes.Plan, AimShapes.Load),
        new("ficocol", FiCoCoLShapes.Plan, FiCoCoLShapes.Load),
        new("fopru", FoPruShapes.Plan, FoPruShapes.Load),
        new("cdpruner", CDPrunerShapes.Plan, CDPrunerShapes.Load),
        new("pruned", PrunedShapes.Plan, PrunedShapes.Load),
        new("shortv", ShortVShapes.Plan, ShortVShapes.Load),
        new("yopo", YopoShapes.Plan, YopoShapes.Load),
        new("redundancylens", LensShapes.Plan, LensShapes.Load),
        new("vtw", VtwShapes.Plan, VtwShapes.Load),
        new("victor4", Victor4Shapes.Plan, Victor4Shapes.Load),
        new("victor8", Victor8Shapes.Plan, Victor8Shapes.Load),
        new("victor16", Victor16Shapes.Plan, Victor16Shapes.Load),
        new("dyvte", DyVteShapes.Plan, DyVteShapes.Load),
        new("sepllm", SepLlmShapes.Plan, SepLlmShapes.Load),
        new("ffnskip", FfnSkipShapes.Plan, FfnSkipShapes.Load),
        new("quick", QuickShapes.Plan, QuickShapes.Load),
    ];

    /// <summary>The variant of this name.</summary>
    public static Candidate Named(string name) => All.First(variant => variant.Name == name);
}
