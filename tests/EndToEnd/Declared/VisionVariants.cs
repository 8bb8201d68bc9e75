namespace Espalier.Tests.Declared;

// Reductions at the output of the vision tower and behind the projector.

[VisionLanguageModel("clip-llama")]
[VisionZip(Dominant = 9, Contextual = 4)]
public sealed partial class ClipLlamaVisionZip;

[VisionLanguageModel("clip-llama")]
[VtcCls(Keep = 12, Layer = 0)]
public sealed partial class ClipLlamaVtcCls;

[VisionLanguageModel("clip-llama")]
[DivPrune(Keep = 10)]
public sealed partial class ClipLlamaDivPrune;

[VisionLanguageModel("clip-llama")]
[GPrune(Keep = 14, Threshold = 0.1, Temperature = 0.1)]
public sealed partial class ClipLlamaGPrune;

[VisionLanguageModel("clip-llama")]
[VisionZip(Dominant = 16, Contextual = 5)]
[DivPrune(Keep = 14)]
[FastV(K = 2, R = 0.5)]
[ShortV(3)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaVisionAndDecoder;

[VisionLanguageModel("clip-llama")]
[VtcCls(Keep = 24, Layer = 1)]
[GPrune(Keep = 15, Threshold = 0.1, Temperature = 0.1, Iterations = 3)]
[FastV(K = 2, R = 0.4)]
public sealed partial class ClipLlamaKeptPositions;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity]
public sealed partial class ClipLlamaSimilarity;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Similarity = ClsSimilarity.ClsAttention, Cut = InflectionCut.MaxDerivative, AtLeast = 0.3, AtMost = 0.75, Round2 = SecondRound.None)]
[FastV(K = 2, R = 0.5)]
public sealed partial class ClipLlamaSimilaritySteps;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Cut = InflectionCut.LocalOutlier, AtLeast = 0.4, Round2 = SecondRound.VisualAndText, K2 = 3, Theta = 0.9)]
[ShortV(1, 2)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaSimilarityText;

[VisionLanguageModel("clip-llama")]
[PruMerge(Neighbours = 6)]
public sealed partial class ClipLlamaPruMerge;

[VisionLanguageModel("clip-llama")]
[PruMergePlus]
[FastV(K = 2, R = 0.5)]
public sealed partial class ClipLlamaPruMergePlus;

[VisionLanguageModel("clip-llama")]
[RecoverableCompression(Neighbours = 5)]
public sealed partial class ClipLlamaRecoverable;

[VisionLanguageModel("clip-llama")]
[RecoverableCompression(Cut = InflectionCut.MaxDerivative, Neighbours = 9, TextWeight = 2)]
[FastV(K = 2, R = 0.5)]
public sealed partial class ClipLlamaRecoverableSteps;

[VisionLanguageModel("clip-llama")]
[FoPru(Keep = 14)]
public sealed partial class ClipLlamaFoPru;

[VisionLanguageModel("clip-llama")]
[FoPru(Keep = 18, Strategy = FoPruStrategy.Row, Significance = PatchSignificance.ClsAttention)]
public sealed partial class ClipLlamaFoPruRows;

[VisionLanguageModel("clip-llama")]
[CDPruner(Keep = 11)]
public sealed partial class ClipLlamaCDPruner;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(AtLeast = 0.5, Round2 = SecondRound.None)]
[CDPruner(Keep = 9)]
[FastV(K = 3, R = 0.5)]
public sealed partial class ClipLlamaSimilarityCDPruner;

[VisionLanguageModel("siglip-qwen2")]
[FoPru(KeepRatio = 0.4, Strategy = FoPruStrategy.Row)]
public sealed partial class SiglipQwen2FoPru;

[VisionLanguageModel("siglip-qwen2")]
[DivPrune(Keep = 6)]
public sealed partial class SiglipQwen2DivPrune;

[VisionLanguageModel("siglip-qwen2")]
[VisionZip(Dominant = 7, Contextual = 3)]
public sealed partial class SiglipQwen2VisionZip;

// No golden: all tokens stay, so it is the dense class.
[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(AtLeast = 1, Round2 = SecondRound.None)]
public sealed partial class ClipLlamaSimilarityAll;
