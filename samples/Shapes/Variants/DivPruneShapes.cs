namespace Espalier.Samples.Shapes.Variants;

/// <summary>Half the tokens behind the projector: a subset of tokens that are far from each other.</summary>
[VisionLanguageModel("shapes")]
[DivPrune(Keep = 72)]
public sealed partial class DivPruneShapes;
