namespace Espalier.Samples.Shapes.Variants;

/// <summary>Half the tokens at the output of the tower: those that receive most attention.</summary>
[VisionLanguageModel("shapes")]
[FoPru(Keep = 72)]
public sealed partial class FoPruShapes;
