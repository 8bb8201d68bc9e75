namespace Espalier.Samples.Shapes.Variants;

/// <summary>Victor with 16 registers. The weights are those of <c>victor-16.safetensors</c> beside the checkpoint.</summary>
[VisionLanguageModel("shapes")]
[Victor(M = 16, K = 3)]
public sealed partial class Victor16Shapes;
