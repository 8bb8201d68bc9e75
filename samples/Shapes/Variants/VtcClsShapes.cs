namespace Espalier.Samples.Shapes.Variants;

/// <summary>Half the tokens before the projector: those that the CLS token attends to in the last layers of the tower.</summary>
[VisionLanguageModel("shapes")]
[VtcCls(Keep = 72, Layer = 2)]
public sealed partial class VtcClsShapes;
