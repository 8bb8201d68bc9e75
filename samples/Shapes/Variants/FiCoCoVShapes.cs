namespace Espalier.Samples.Shapes.Variants;

/// <summary>Half the tokens inside the vision tower: 36 in each of its last two layers, merged into those that they are correlated to.</summary>
[VisionLanguageModel("shapes")]
[FiCoCoV(R = 36)]
public sealed partial class FiCoCoVShapes;
