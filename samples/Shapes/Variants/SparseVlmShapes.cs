namespace Espalier.Samples.Shapes.Variants;

/// <summary>Words of the question that resemble the picture rate its tokens; the best of those that leave are recycled.</summary>
[VisionLanguageModel("shapes")]
[SparseVlm(Layers = [1, 3, 6], Keep = [72, 40, 20])]
public sealed partial class SparseVlmShapes;
