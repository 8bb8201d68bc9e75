namespace Espalier.Samples.Shapes.Variants;

/// <summary>Victor with 8 registers, as many as the paper's smallest. The weights are those of <c>victor-8.safetensors</c> beside the checkpoint.</summary>
[VisionLanguageModel("shapes")]
[Victor(M = 8, K = 3)]
public sealed partial class Victor8Shapes;
