namespace Espalier.Samples.Shapes.Variants;

/// <summary>Four layers of the tower run on 72 rows that static matrices make of the 144 tokens; behind each all come back.</summary>
[VisionLanguageModel("shapes")]
[PruneAndMerge(1, 2, 3, 4, Keep = 72)]
public sealed partial class PruneAndMergeShapes;
