namespace Espalier.Samples.Shapes.Variants;

/// <summary>Before two layers of the tower the patches stay that the CLS token will attend to; the others become one token.</summary>
[VisionLanguageModel("shapes")]
[Elip(1, 3, Ratios = [0.75, 0.5])]
public sealed partial class ElipShapes;
