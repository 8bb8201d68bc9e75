namespace Espalier.Samples.Shapes.Variants;

/// <summary>No policy: every visual token passes every layer. The baseline of all comparisons.</summary>
[VisionLanguageModel("shapes")]
public sealed partial class DenseShapes;
