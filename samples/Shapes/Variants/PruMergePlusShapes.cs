namespace Espalier.Samples.Shapes.Variants;

/// <summary>As many tokens as the image asks for: outliers of CLS attention and evenly spaced patches, each with its neighbours.</summary>
[VisionLanguageModel("shapes")]
[PruMergePlus]
public sealed partial class PruMergePlusShapes;
