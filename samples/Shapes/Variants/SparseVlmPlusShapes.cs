namespace Espalier.Samples.Shapes.Variants;

/// <summary>The same raters, corrected for distance, in the heads that look at the picture most; nothing is recycled.</summary>
[VisionLanguageModel("shapes")]
[SparseVlmPlus(Layers = [1, 3, 6], Keep = [72, 40, 20], Heads = 3)]
public sealed partial class SparseVlmPlusShapes;
