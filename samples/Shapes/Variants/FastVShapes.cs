namespace Espalier.Samples.Shapes.Variants;

/// <summary>FastV as its paper recommends it: from layer 2 on, the half of the visual tokens that the question attends to least is gone.</summary>
[VisionLanguageModel("shapes")]
[FastV(K = 2, R = 0.5)]
public sealed partial class FastVShapes;
