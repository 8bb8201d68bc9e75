namespace Espalier.Samples.Shapes.Variants;

/// <summary>Half of the tokens leave at the end of each of three stages.</summary>
[VisionLanguageModel("shapes")]
[PyramidDrop(Lambda = 0.5, S = 4)]
public sealed partial class PyramidDropShapes;
