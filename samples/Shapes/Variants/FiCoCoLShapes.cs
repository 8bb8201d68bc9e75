namespace Espalier.Samples.Shapes.Variants;

/// <summary>FiCoCo inside the decoder: twelve tokens fewer in each layer from the third on, merged by what image and text attend to.</summary>
[VisionLanguageModel("shapes")]
[FiCoCoL(R = 12, StartLayer = 2)]
public sealed partial class FiCoCoLShapes;
