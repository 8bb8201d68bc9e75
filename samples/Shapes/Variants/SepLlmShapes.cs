namespace Espalier.Samples.Shapes.Variants;

/// <summary>SepLLM: all visual tokens stay; text between separators leaves the KV caches in decode. The questions of this model are short, so few neighbours stay.</summary>
[VisionLanguageModel("shapes")]
[SepLlm(A = 3, N = 4)]
public sealed partial class SepLlmShapes;
