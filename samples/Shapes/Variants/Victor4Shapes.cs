namespace Espalier.Samples.Shapes.Variants;

/// <summary>Victor with 4 registers: what they read of the image in the first three layers is all that the others see of it. The weights are those of <c>victor-4.safetensors</c> beside the checkpoint.</summary>
[VisionLanguageModel("shapes")]
[Victor(M = 4, K = 3)]
public sealed partial class Victor4Shapes;
