namespace Espalier.Samples.Shapes.Variants;

/// <summary>The primitive behind FastV, twice: the count falls in two steps, late enough that the question has found the shapes.</summary>
[VisionLanguageModel("shapes")]
[PruneVisual(AfterLayer = 3, Keep = 72)]
[PruneVisual(AfterLayer = 5, Keep = 36)]
public sealed partial class PrunedShapes;
