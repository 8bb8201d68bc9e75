namespace Espalier.Tests.Declared;

// One class a golden case of tests/reference: the policies are the case's, in the papers' symbols.

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
[FiCoCoV(R = 4, StartLayer = 1, Epsilon = 0.9)]
[FiCoCoL(R = 4, StartLayer = 2, Epsilon = 0.9)]
public sealed partial class ClipLlamaFiCoCoVL;

[VisionLanguageModel("clip-llama")]
[RandomPrune(AfterLayer = -1, Keep = 30)]
[FiCoCoL(R = 4, StartLayer = 3, LastLayer = 3)]
[ShortV(1, 2)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaFiCoCoLTogether;

[VisionLanguageModel("clip-llama")]
[PyramidDrop(Lambda = 0.5, S = 3)]
public sealed partial class ClipLlamaPyramid;

[VisionLanguageModel("clip-llama")]
[SparseVlm(Layers = [1, 3], Keep = [18, 7])]
public sealed partial class ClipLlamaSparseVlm;

[VisionLanguageModel("clip-llama")]
[SparseVlm(Layers = [0, 3], Scale = 2.2, Bias = 3, Tau = 0.9)]
public sealed partial class ClipLlamaSparseVlmRank;

[VisionLanguageModel("clip-llama")]
[SparseVlm(Layers = [1, 4], Lambda = 0.6)]
public sealed partial class ClipLlamaSparseVlmLambda;

[VisionLanguageModel("clip-llama")]
[SparseVlm(Layers = [2], Keep = [12], Tau = 0)]
[ShortV(1, 2)]
public sealed partial class ClipLlamaSparseVlmDropped;

[VisionLanguageModel("clip-llama")]
[FastV(K = 1, R = 0.25)]
[SparseVlm(Layers = [3], Lambda = 0.8, Tau = 0)]
public sealed partial class ClipLlamaSparseVlmRankDropped;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(AtLeast = 0.5, Round2 = SecondRound.None)]
[SparseVlm(Layers = [1, 3], Keep = [9, 4], Tau = 0.9)]
[ShortV(1, 2)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaSparseVlmTogether;

[VisionLanguageModel("clip-llama")]
[SparseVlmPlus(Layers = [1, 3], Keep = [18, 7], Heads = 2)]
public sealed partial class ClipLlamaSparseVlmPlus;

[VisionLanguageModel("clip-llama")]
[DivPrune(Keep = 24)]
[FastV(K = 1, R = 0.25)]
[SparseVlmPlus(Layers = [2], Keep = [11], Heads = 3)]
[ShortV(2)]
public sealed partial class ClipLlamaSparseVlmPlusTogether;

// No golden: raters among text that leaves.
[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(AtLeast = 0.8, Round2 = SecondRound.VisualAndText, K2 = 2)]
[SparseVlm(Layers = [0, 3], Keep = [20, 6])]
public sealed partial class ClipLlamaSparseVlmShorterText;

// No golden: rows are numbered anew behind text that has left.
[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(AtLeast = 0.4, Round2 = SecondRound.VisualAndText, K2 = 1)]
[PyramidDrop(Lambda = 0.5, S = 2)]
public sealed partial class ClipLlamaSimilarityTextPyramid;

// No golden: a rank that is never reached lets all stay, so it is the dense class.
[VisionLanguageModel("clip-llama")]
[SparseVlm(Layers = [1, 2], Lambda = 0.001)]
public sealed partial class ClipLlamaSparseVlmAll;

[VisionLanguageModel("siglip-qwen2")]
[SparseVlm(Layers = [0, 2], Keep = [14, 6], Tau = 0.5)]
public sealed partial class SiglipQwen2SparseVlm;

[VisionLanguageModel("clip-llama")]
[RandomPrune(AfterLayer = -1, Keep = 30)]
[PyramidDrop(Lambda = 0.6, S = 3)]
[ShortV(1, 2)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaPyramidTogether;

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
[SparsityMeetsSimilarity(Cut = InflectionCut.SecondDifference, Window = 5, AtLeast = 0.4, Round2 = SecondRound.None)]
[GPrune(KeepRatio = 0.6, Threshold = 0.1, Temperature = 0.1)]
[ShortV(1)]
[PyramidDrop(Lambda = 0.5, S = 3)]
public sealed partial class ClipLlamaSimilarityBend;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Cut = InflectionCut.LocalOutlier, AtLeast = 0.4, Round2 = SecondRound.VisualAndText, K2 = 3, Theta = 0.9)]
[ShortV(1, 2)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaSimilarityText;

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
[PyramidDrop(Lambda = 0.7)]
public sealed partial class SiglipQwen2Pyramid;

[VisionLanguageModel("siglip-qwen2")]
[FiCoCoL(R = 3, StartLayer = 0)]
public sealed partial class SiglipQwen2FiCoCoL;

[VisionLanguageModel("siglip-qwen2")]
[DivPrune(Keep = 6)]
public sealed partial class SiglipQwen2DivPrune;

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

[VisionLanguageModel("siglip-qwen2")]
[VisionZip(Dominant = 7, Contextual = 3)]
public sealed partial class SiglipQwen2VisionZip;

[VisionLanguageModel("siglip-qwen2")]
[FiCoCoV(R = 4, Epsilon = 0.9)]
public sealed partial class SiglipQwen2FiCoCoV;

[VisionLanguageModel("siglip-qwen2")]
[ToMe(R = 4)]
public sealed partial class SiglipQwen2ToMe;

[VisionLanguageModel("siglip-qwen2")]
[ToMe(R = 5, Inflection = -0.4)]
public sealed partial class SiglipQwen2ToMeInflection;

[VisionLanguageModel("siglip-qwen2")]
[PruneVisual(AfterLayer = 2, Keep = 15, Score = TokenScore.TextAttention)]
public sealed partial class SiglipQwen2FastVMean;

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

[VisionLanguageModel("shapes")]
public sealed partial class ShapesDense;

[VisionLanguageModel("shapes")]
[FastV(K = 2, R = 0.5)]
public sealed partial class ShapesFastV;

[VisionLanguageModel("shapes")]
[ShortV(5, 6, 7)]
public sealed partial class ShapesShortV;

[VisionLanguageModel("shapes")]
[Vtw(K = 9)]
public sealed partial class ShapesVtw;

[VisionLanguageModel("shapes")]
[FastV(K = 2, R = 0.5)]
[ShortV(5, 6, 7)]
[Vtw(K = 9)]
public sealed partial class ShapesAll;

// No golden: what the sample model learned is asked the held-out questions.
[VisionLanguageModel("shapes")]
[Victor(M = 4, K = 3)]
public sealed partial class ShapesVictor4;

[VisionLanguageModel("shapes")]
[Victor(M = 8, K = 3)]
public sealed partial class ShapesVictor8;

[VisionLanguageModel("shapes")]
[Victor(M = 16, K = 3)]
public sealed partial class ShapesVictor16;

[VisionLanguageModel("shapes")]
[DyVte]
public sealed partial class ShapesDyVte;

// No golden: all tokens stay, so it is the dense class.
[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(AtLeast = 1, Round2 = SecondRound.None)]
public sealed partial class ClipLlamaSimilarityAll;

// No golden: that it computes what the dense class computes at the same precision is a test of its own.
[VisionLanguageModel("clip-llama", Precision = Precision.Int8)]
public sealed partial class ClipLlamaInt8;
