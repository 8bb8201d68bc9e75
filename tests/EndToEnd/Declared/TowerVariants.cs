namespace Espalier.Tests.Declared;

// Reductions inside the vision tower.

[VisionLanguageModel("clip-llama")]
[FiCoCoV(StartLayer = 0, R = 9, Epsilon = 0.9)]
public sealed partial class ClipLlamaFiCoCoV;

[VisionLanguageModel("clip-llama")]
[FiCoCoV(R = 14, Mode = FiCoCoMode.Code, Epsilon = 0.93, Window = 3, Coefficient = 1.5)]
public sealed partial class ClipLlamaFiCoCoVCode;

[VisionLanguageModel("clip-llama")]
[FiCoCoV(StartLayer = 0, R = 6, Redundancy = FiCoCoRedundancy.SoftmaxColumns, Lambda = 0.6, Epsilon = 0.95)]
public sealed partial class ClipLlamaFiCoCoVColumns;

[VisionLanguageModel("clip-llama")]
[ToMe(R = 8)]
public sealed partial class ClipLlamaToMe;

[VisionLanguageModel("clip-llama")]
[ToMe(R = 9, Inflection = 0.5, ProportionalAttention = false)]
public sealed partial class ClipLlamaToMeInflection;

[VisionLanguageModel("clip-llama")]
[PruneAndMerge(0, 1, Keep = 18)]
public sealed partial class ClipLlamaPruneAndMerge;

[VisionLanguageModel("clip-llama")]
[PruneAndMerge(1, Keep = 12)]
[DivPrune(Keep = 14)]
[FastV(K = 2, R = 0.5)]
public sealed partial class ClipLlamaPruneAndMergeLearned;

[VisionLanguageModel("siglip-qwen2")]
[PruneAndMerge(0, 2, KeepRatio = 0.4)]
public sealed partial class SiglipQwen2PruneAndMerge;

[VisionLanguageModel("clip-llama")]
[Elip(0, 1, Ratios = [0.8, 0.5])]
public sealed partial class ClipLlamaElip;

[VisionLanguageModel("clip-llama")]
[Elip(0, Ratios = [0.6])]
[FastV(K = 2, R = 0.5)]
public sealed partial class ClipLlamaElipAhead;

[VisionLanguageModel("clip-llama")]
[Elip(0, Ratios = [0.45], LookAhead = 1)]
[DivPrune(Keep = 9)]
public sealed partial class ClipLlamaElipNear;

[VisionLanguageModel("clip-llama")]
[FiCoCoV(StartLayer = 0, R = 5)]
[DivPrune(Keep = 20)]
[FastV(K = 2, R = 0.5)]
[ShortV(3)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaTowerAndDecoder;

[VisionLanguageModel("siglip-qwen2")]
[FiCoCoV(R = 4, Epsilon = 0.9)]
public sealed partial class SiglipQwen2FiCoCoV;

[VisionLanguageModel("siglip-qwen2")]
[ToMe(R = 4)]
public sealed partial class SiglipQwen2ToMe;

[VisionLanguageModel("siglip-qwen2")]
[ToMe(R = 5, Inflection = -0.4)]
public sealed partial class SiglipQwen2ToMeInflection;
