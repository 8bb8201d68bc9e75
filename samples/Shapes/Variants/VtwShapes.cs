namespace Espalier.Samples.Shapes.Variants;

/// <summary>VTW: the visual tokens leave before layer 7, when the text has read what it needs.</summary>
[VisionLanguageModel("shapes")]
[Vtw(K = 7)]
public sealed partial class VtwShapes;
