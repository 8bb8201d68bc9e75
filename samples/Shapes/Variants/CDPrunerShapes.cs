namespace Espalier.Samples.Shapes.Variants;

/// <summary>Half the tokens behind the projector: a subset that is diverse and relevant to the question.</summary>
[VisionLanguageModel("shapes")]
[CDPruner(Keep = 72)]
public sealed partial class CDPrunerShapes;
