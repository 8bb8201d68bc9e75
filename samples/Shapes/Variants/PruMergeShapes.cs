namespace Espalier.Samples.Shapes.Variants;

/// <summary>PruMerge: the outliers of the CLS attention, with their neighbours merged into them; how many there are is up to the image.</summary>
[VisionLanguageModel("shapes")]
[PruMerge]
public sealed partial class PruMergeShapes;
