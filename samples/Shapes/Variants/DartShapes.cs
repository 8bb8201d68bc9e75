namespace Espalier.Samples.Shapes.Variants;

/// <summary>DART: before the third layer a few pivots stay, and a quarter of the others, those least like them.</summary>
[VisionLanguageModel("shapes")]
[Dart(K = 2, R = 0.75)]
public sealed partial class DartShapes;
