namespace Espalier.Tests.Declared;

// One class a golden case of tests/reference: the policies are the case's, in the papers' symbols. Here what the first methods and the primitives do; the others stand in the files beside this one, by where they reduce.

[VisionLanguageModel("clip-llama")]
public sealed partial class ClipLlamaDense;

[VisionLanguageModel("clip-llama")]
[FastV(K = 2, R = 0.5)]
public sealed partial class ClipLlamaFastV;

[VisionLanguageModel("clip-llama")]
[ShortV(3, 4)]
public sealed partial class ClipLlamaShortV;

[VisionLanguageModel("clip-llama")]
[Vtw(K = 5)]
public sealed partial class ClipLlamaVtw;

[VisionLanguageModel("clip-llama")]
[FastV(K = 2, R = 0.5)]
[ShortV(3, 4)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaAll;

[VisionLanguageModel("clip-llama")]
[FastV(K = 2, R = 0.75)]
[ShortV(1, 2)]
public sealed partial class ClipLlamaScoredFrozen;

[VisionLanguageModel("clip-llama")]
[FastV(K = 3, R = 0.5)]
[ShortV(0, 3)]
[Vtw(K = 4)]
public sealed partial class ClipLlamaExitAtPrune;

[VisionLanguageModel("clip-llama")]
[RandomPrune(AfterLayer = -1, Keep = 20, Seed = 7)]
[RandomPrune(AfterLayer = 2, KeepRatio = 0.5, Seed = -3)]
public sealed partial class ClipLlamaRandom;

[VisionLanguageModel("clip-llama")]
[PruneVisual<NormScorer>(AfterLayer = 2, Keep = 12)]
public sealed partial class ClipLlamaNorm;

[VisionLanguageModel("clip-llama")]
[PruneVisual<NormScorer>(AfterLayer = -1, Keep = 20)]
[ShortV(1, 2)]
[PruneVisual<NormScorer>(AfterLayer = 2, Keep = 9)]
public sealed partial class ClipLlamaNormTwice;

[VisionLanguageModel("clip-llama")]
[FastV(K = 2, R = 0.5, Rows = FastVRows.Mean)]
public sealed partial class ClipLlamaFastVMean;

[VisionLanguageModel("clip-llama")]
[FastV(K = 3, R = 0.75, Rows = FastVRows.Mean)]
[ShortV(1, 2)]
public sealed partial class ClipLlamaFastVMeanFrozen;

[VisionLanguageModel("clip-llama-f16")]
public sealed partial class ClipLlamaF16Dense;

[VisionLanguageModel("clip-llama-f16")]
[FastV(K = 1, R = 0.75)]
public sealed partial class ClipLlamaF16FastV;

[VisionLanguageModel("clip-llama-f16")]
[ShortV(2, 3, 5)]
public sealed partial class ClipLlamaF16ShortV;

[VisionLanguageModel("clip-llama-f16")]
[Vtw(K = 1)]
public sealed partial class ClipLlamaF16Vtw;

[VisionLanguageModel("clip-llama-f16")]
[FastV(K = 2, R = 0.5)]
[ShortV(3)]
[Vtw(K = 4)]
public sealed partial class ClipLlamaF16All;

[VisionLanguageModel("siglip-qwen2")]
public sealed partial class SiglipQwen2Dense;

[VisionLanguageModel("siglip-qwen2")]
[FastV(K = 3, R = 0.4)]
public sealed partial class SiglipQwen2FastV;

[VisionLanguageModel("siglip-qwen2")]
[FastV(K = 2, R = 0.5)]
public sealed partial class SiglipQwen2FastVHalf;

[VisionLanguageModel("siglip-qwen2")]
[RandomPrune(AfterLayer = 3, Keep = 8)]
public sealed partial class SiglipQwen2Random;

[VisionLanguageModel("siglip-qwen2")]
[PruneVisual<NormScorer>(AfterLayer = 1, KeepRatio = 0.5)]
public sealed partial class SiglipQwen2Norm;

[VisionLanguageModel("siglip-qwen2")]
[PruneVisual(AfterLayer = 2, Keep = 15, Score = TokenScore.TextAttention)]
public sealed partial class SiglipQwen2FastVMean;

[VisionLanguageModel("siglip-qwen2")]
[ShortV(0, 4)]
public sealed partial class SiglipQwen2ShortV;

[VisionLanguageModel("siglip-qwen2")]
[Vtw(K = 3)]
public sealed partial class SiglipQwen2Vtw;

[VisionLanguageModel("siglip-qwen2")]
[FastV(K = 2, R = 0.5)]
[ShortV(3, 4)]
[Vtw(K = 5)]
public sealed partial class SiglipQwen2All;

// No golden: that it computes what the dense class computes at the same precision is a test of its own.
[VisionLanguageModel("clip-llama", Precision = Precision.Int8)]
public sealed partial class ClipLlamaInt8;
