using Espalier.Planning;
using Espalier.Samples.Shapes.Variants;

namespace Espalier.Samples.Shapes;

/// <summary>A declared class under the name that the command line gives it.</summary>
/// <param name="Name">Lower case, as <c>--variant</c> takes it.</param>
/// <param name="Plan">What the compiler made of the declaration.</param>
/// <param name="Load">The generated factory.</param>
internal sealed record Variant(string Name, ReductionPlan Plan, Func<Checkpoint, ModelOptions?, VisionLanguageModel> Load)
{
    /// <summary>The variant without a policy: what every other one is compared with.</summary>
    public static Variant Dense { get; } = new("dense", DenseShapes.Plan, DenseShapes.Load);

    /// <summary>All variants, the baseline first.</summary>
    public static IReadOnlyList<Variant> All { get; } =
    [
        Dense,
        new("fastv", FastVShapes.Plan, FastVShapes.Load),
        new("random", RandomShapes.Plan, RandomShapes.Load),
        new("pyramiddrop", PyramidDropShapes.Plan, PyramidDropShapes.Load),
        new("visionzip", VisionZipShapes.Plan, VisionZipShapes.Load),
        new("vtccls", VtcClsShapes.Plan, VtcClsShapes.Load),
        new("divprune", DivPruneShapes.Plan, DivPruneShapes.Load),
        new("gprune", GPruneShapes.Plan, GPruneShapes.Load),
        new("pruned", PrunedShapes.Plan, PrunedShapes.Load),
        new("shortv", ShortVShapes.Plan, ShortVShapes.Load),
        new("vtw", VtwShapes.Plan, VtwShapes.Load),
        new("quick", QuickShapes.Plan, QuickShapes.Load),
    ];

    /// <summary>The variant of this name.</summary>
    public static Variant Named(string name) => All.First(variant => variant.Name == name);

    /// <summary>The visual tokens that each segment works on, in order of layers.</summary>
    /// <param name="separator">Put between two segments.</param>
    public string TokensBySegment(string separator) =>
        string.Join(separator, Plan.Segments.Select(segment => segment.Mode == LayerMode.Frozen ? $"{segment.VisualTokens} frozen" : $"{segment.VisualTokens}"));
}
