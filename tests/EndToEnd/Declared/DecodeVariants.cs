namespace Espalier.Tests.Declared;

// What decode steps leave out.

[VisionLanguageModel("clip-llama")]
[FfnSkipLlm(Tau = 0.945, K = 2, ColdFirst = 1, ColdLast = 1, WarmUp = 2)]
public sealed partial class ClipLlamaFfnSkip;

[VisionLanguageModel("clip-llama")]
[FfnSkipLlm(Tau = 0.9, K = 1, ColdFirst = 0, ColdLast = 0, WarmUp = 0)]
[FastV(K = 2, R = 0.5)]
[PyramidDrop(Lambda = 0.4, S = 2)]
[ShortV(1)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaFfnSkipTogether;

[VisionLanguageModel("siglip-qwen2")]
[FfnSkipLlm(Tau = 0.9, K = 3, ColdFirst = 2, ColdLast = 0, WarmUp = 1)]
[DivPrune(Keep = 6)]
public sealed partial class SiglipQwen2FfnSkip;

// No golden: no row turns so little, so it is the dense class.
[VisionLanguageModel("clip-llama")]
[FfnSkipLlm(Tau = 1, ColdFirst = 0, ColdLast = 0, WarmUp = 0)]
public sealed partial class ClipLlamaFfnSkipNothing;

[VisionLanguageModel("clip-llama")]
[SepLlm(A = 3, N = 5)]
public sealed partial class ClipLlamaSepLlm;

[VisionLanguageModel("clip-llama")]
[SepLlm(A = 2, N = 4)]
[FfnSkipLlm(Tau = 0.9, K = 1, ColdFirst = 1, ColdLast = 0, WarmUp = 0)]
[SparsityMeetsSimilarity(Cut = InflectionCut.LocalOutlier, AtLeast = 0.4, Round2 = SecondRound.VisualAndText, K2 = 3, Theta = 0.9)]
[ShortV(1, 2)]
public sealed partial class ClipLlamaSepLlmTogether;

[VisionLanguageModel("siglip-qwen2")]
[SepLlm(A = 1, N = 2)]
[PyramidDrop(Lambda = 0.7, S = 4)]
public sealed partial class SiglipQwen2SepLlm;

// No golden: the text is shorter than what always stays, so it is the dense class.
[VisionLanguageModel("clip-llama")]
[SepLlm]
public sealed partial class ClipLlamaSepLlmNothing;
