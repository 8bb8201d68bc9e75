namespace Espalier.Samples.Shapes.Variants;

/// <summary>YOPO from the middle on: visual tokens attend to their neighbours, use half of the neurons, and leave before the last layer.</summary>
[VisionLanguageModel("shapes")]
[Yopo(FirstLayer = 4, LayerCut = 9)]
public sealed partial class YopoShapes;
