namespace Espalier.Samples.Shapes.Variants;

/// <summary>Half the tokens before the projector: 62 that the CLS token attends to, and ten averages of the rest.</summary>
[VisionLanguageModel("shapes")]
[VisionZip(Dominant = 62, Contextual = 10)]
public sealed partial class VisionZipShapes;
