namespace Espalier.Samples.Shapes.Variants;

/// <summary>AIM: half of the tokens merged before the decoder, the rest gone layer by layer until the last but one.</summary>
[VisionLanguageModel("shapes")]
[Aim(Halvings = 1, L1 = 3, L2 = 8)]
public sealed partial class AimShapes;
