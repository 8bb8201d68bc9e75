namespace Espalier.Samples.Shapes.Variants;

/// <summary>DyVTE: all visual tokens leave at the first layer whose gate says so; which one that is depends on the question. The gates are those of <c>dyvte.safetensors</c> beside the checkpoint.</summary>
[VisionLanguageModel("shapes")]
[DyVte]
public sealed partial class DyVteShapes;
