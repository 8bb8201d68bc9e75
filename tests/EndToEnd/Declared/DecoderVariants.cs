namespace Espalier.Tests.Declared;

// Reductions between and inside decoder layers.

[VisionLanguageModel("clip-llama")]
[MergeVisual<NormScorer>(AfterLayer = 2, Keep = 12)]
public sealed partial class ClipLlamaMerge;

[VisionLanguageModel("clip-llama")]
[MergeVisual<NormScorer>(AfterLayer = -1, Keep = 20)]
[ShortV(1, 2)]
[MergeVisual<NormScorer>(AfterLayer = 2, Keep = 9)]
[FastV(K = 4, R = 0.5)]
public sealed partial class ClipLlamaMergeTwice;

[VisionLanguageModel("clip-llama")]
[DyVte]
public sealed partial class ClipLlamaDyVte;

[VisionLanguageModel("clip-llama")]
[DyVte]
[RandomPrune(AfterLayer = -1, Keep = 30, Seed = 1)]
[RandomPrune(AfterLayer = 3, Keep = 20, Seed = 3)]
[ShortV(1)]
public sealed partial class ClipLlamaDyVteLate;

[VisionLanguageModel("clip-llama")]
[DyVte]
[FastV(K = 2, R = 0.5)]
public sealed partial class ClipLlamaDyVtePruned;

[VisionLanguageModel("clip-llama")]
[Victor(M = 4, K = 2)]
public sealed partial class ClipLlamaVictor;

[VisionLanguageModel("clip-llama")]
[FastV(K = 2, R = 0.5, Rows = FastVRows.Mean)]
[ShortV(1, 2)]
[Victor(M = 4, K = 4)]
public sealed partial class ClipLlamaVictorTogether;

[VisionLanguageModel("clip-llama")]
[PyramidDrop(Lambda = 0.8, S = 2)]
[Victor(M = 4, K = 4)]
public sealed partial class ClipLlamaVictorRenumbered;

[VisionLanguageModel("clip-llama")]
[FiCoCoL(R = 5, StartLayer = 1, Epsilon = 0.9)]
public sealed partial class ClipLlamaFiCoCoL;

[VisionLanguageModel("clip-llama")]
[FiCoCoL(R = 3, StartLayer = 2, Mode = FiCoCoMode.Code, Beta = 0.5, Gamma = 0.7, Epsilon = 0.95)]
public sealed partial class ClipLlamaFiCoCoLCode;

[VisionLanguageModel("clip-llama")]
[FiCoCoL(R = 4, StartLayer = 1, Redundancy = FiCoCoRedundancy.SoftmaxColumns, Beta = 0.7, Gamma = 0.5, Epsilon = 0.9)]
public sealed partial class ClipLlamaFiCoCoLColumns;

[VisionLanguageModel("clip-llama")]
[FiCoCoL(R = 3, StartLayer = 3, Mode = FiCoCoMode.Code, Redundancy = FiCoCoRedundancy.SoftmaxRows, Beta = 0.5, Epsilon = 0.95)]
public sealed partial class ClipLlamaFiCoCoLRows;

[VisionLanguageModel("clip-llama")]
[FiCoCoV(R = 4, StartLayer = 1, Epsilon = 0.9)]
[FiCoCoL(R = 4, StartLayer = 2, Epsilon = 0.9)]
public sealed partial class ClipLlamaFiCoCoVL;

[VisionLanguageModel("clip-llama")]
[FiCoCoL(R = 3, StartLayer = 1)]
[PyramidDrop(Lambda = 0.5, S = 3)]
public sealed partial class ClipLlamaFiCoCoLPyramid;

[VisionLanguageModel("clip-llama")]
[RandomPrune(AfterLayer = -1, Keep = 30)]
[FiCoCoL(R = 4, StartLayer = 3, LastLayer = 3)]
[ShortV(1, 2)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaFiCoCoLTogether;

[VisionLanguageModel("clip-llama")]
[PyramidDrop(Lambda = 0.5, S = 3)]
public sealed partial class ClipLlamaPyramid;

// No golden: rows are numbered anew behind text that has left.
[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(AtLeast = 0.4, Round2 = SecondRound.VisualAndText, K2 = 1)]
[PyramidDrop(Lambda = 0.5, S = 2)]
public sealed partial class ClipLlamaSimilarityTextPyramid;

[VisionLanguageModel("clip-llama")]
[RandomPrune(AfterLayer = -1, Keep = 30)]
[PyramidDrop(Lambda = 0.6, S = 3)]
[ShortV(1, 2)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaPyramidTogether;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Cut = InflectionCut.SecondDifference, Window = 5, AtLeast = 0.4, Round2 = SecondRound.None)]
[GPrune(KeepRatio = 0.6, Threshold = 0.1, Temperature = 0.1)]
[ShortV(1)]
[PyramidDrop(Lambda = 0.5, S = 3)]
public sealed partial class ClipLlamaSimilarityBend;

[VisionLanguageModel("siglip-qwen2")]
[PyramidDrop(Lambda = 0.7)]
public sealed partial class SiglipQwen2Pyramid;

[VisionLanguageModel("siglip-qwen2")]
[FiCoCoL(R = 3, StartLayer = 0)]
public sealed partial class SiglipQwen2FiCoCoL;

[VisionLanguageModel("siglip-qwen2")]
[FiCoCoL(R = 2, StartLayer = 1, Mode = FiCoCoMode.Code, Redundancy = FiCoCoRedundancy.SoftmaxColumns, Beta = 0.4, Epsilon = 0.9)]
public sealed partial class SiglipQwen2FiCoCoLColumns;

[VisionLanguageModel("clip-llama")]
[Aim(Halvings = 1, L1 = 0, L2 = 4)]
public sealed partial class ClipLlamaAim;

[VisionLanguageModel("clip-llama")]
[FastV(K = 1, R = 0.2)]
[Aim(Halvings = 0, L1 = 1, L2 = 4)]
[ShortV(1, 4)]
public sealed partial class ClipLlamaAimTogether;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Cut = InflectionCut.SecondDifference, Window = 5, AtLeast = 0.4, Round2 = SecondRound.None)]
[Aim(Halvings = 1, L1 = 1, L2 = 4)]
public sealed partial class ClipLlamaSimilarityAim;

[VisionLanguageModel("clip-llama")]
[Dart(K = 2, R = 0.5, ImagePivots = 2, TextPivots = 3)]
public sealed partial class ClipLlamaDart;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Cut = InflectionCut.SecondDifference, Window = 5, AtLeast = 0.4, Round2 = SecondRound.None)]
[Dart(K = 3, R = 0.4, ImagePivots = 1, TextPivots = 1)]
[ShortV(1, 2)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaSimilarityDart;

[VisionLanguageModel("siglip-qwen2")]
[Dart(K = 1, R = 0.5, ImagePivots = 3, TextPivots = 0)]
public sealed partial class SiglipQwen2Dart;

[VisionLanguageModel("siglip-qwen2")]
[Aim(Halvings = 1, L1 = 0, L2 = 4)]
public sealed partial class SiglipQwen2Aim;

[VisionLanguageModel("siglip-qwen2")]
[Aim(Halvings = 2, Order = AimOrder.Relative, L1 = 1, L2 = 3)]
public sealed partial class SiglipQwen2AimRelative;
