namespace Espalier.Samples.Shapes.Variants;

/// <summary>FFN-SkipLLM: all visual tokens stay; in decode, layers 3 to 7 may skip their feed-forward layer. Answers of this model are short, so nothing warms up.</summary>
[VisionLanguageModel("shapes")]
[FfnSkipLlm(Tau = 0.97, K = 2, ColdFirst = 3, ColdLast = 2, WarmUp = 0)]
public sealed partial class FfnSkipShapes;
