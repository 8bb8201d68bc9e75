namespace Espalier.Tests.Declared;

// One class a golden case of the sample model; those of the first methods are in ShapesVariants.cs.

[VisionLanguageModel("shapes")]
[SparseVlm(Layers = [1, 3, 6], Keep = [72, 40, 20])]
public sealed partial class ShapesSparseVlm;

[VisionLanguageModel("shapes")]
[SparseVlm(Layers = [2, 5], Lambda = 0.6)]
public sealed partial class ShapesSparseVlmRank;

[VisionLanguageModel("shapes")]
[SparseVlmPlus(Layers = [1, 3, 6], Keep = [72, 40, 20], Heads = 3)]
public sealed partial class ShapesSparseVlmPlus;

[VisionLanguageModel("shapes")]
[Elip(1, 3, Ratios = [0.8, 0.5])]
public sealed partial class ShapesElip;

[VisionLanguageModel("shapes")]
[RecoverableCompression(Neighbours = 20)]
public sealed partial class ShapesRecoverable;

[VisionLanguageModel("shapes")]
[Aim(Halvings = 0, L1 = 3, L2 = 8)]
public sealed partial class ShapesAim;

[VisionLanguageModel("shapes")]
[VtcCls(Keep = 24, Layer = 2)]
[Aim(Halvings = 1, L1 = 3, L2 = 8)]
public sealed partial class ShapesAimMerged;

[VisionLanguageModel("shapes")]
[FiCoCoL(R = 14, StartLayer = 4)]
public sealed partial class ShapesFiCoCoL;

[VisionLanguageModel("shapes")]
[FiCoCoL(R = 12, StartLayer = 3, Redundancy = FiCoCoRedundancy.SoftmaxColumns)]
public sealed partial class ShapesFiCoCoLColumns;

[VisionLanguageModel("shapes")]
[FiCoCoV(R = 36, StartLayer = 2)]
public sealed partial class ShapesFiCoCoV;

[VisionLanguageModel("shapes")]
[ToMe(R = 12)]
public sealed partial class ShapesToMe;

[VisionLanguageModel("shapes")]
[PyramidDrop(Lambda = 0.5, S = 4)]
public sealed partial class ShapesPyramid;

[VisionLanguageModel("shapes")]
[Dart(K = 2, R = 0.5)]
public sealed partial class ShapesDart;

[VisionLanguageModel("shapes")]
[VisionZip(Dominant = 54, Contextual = 18)]
public sealed partial class ShapesVisionZip;

[VisionLanguageModel("shapes")]
[VtcCls(Keep = 72, Layer = 2)]
public sealed partial class ShapesVtcCls;

[VisionLanguageModel("shapes")]
[DivPrune(Keep = 72)]
public sealed partial class ShapesDivPrune;

[VisionLanguageModel("shapes")]
[GPrune(Keep = 72)]
public sealed partial class ShapesGPrune;

[VisionLanguageModel("shapes")]
[CDPruner(Keep = 24)]
public sealed partial class ShapesCDPruner;

[VisionLanguageModel("shapes")]
[PruMerge]
public sealed partial class ShapesPruMerge;

[VisionLanguageModel("shapes")]
[PruMergePlus]
public sealed partial class ShapesPruMergePlus;

[VisionLanguageModel("shapes")]
[FoPru(Keep = 72)]
public sealed partial class ShapesFoPru;

[VisionLanguageModel("shapes")]
[SparsityMeetsSimilarity]
public sealed partial class ShapesSimilarity;

[VisionLanguageModel("shapes")]
[FastV(K = 2, R = 0.5, Rows = FastVRows.Mean)]
public sealed partial class ShapesFastVMean;

[VisionLanguageModel("shapes")]
[FoPru(Keep = 72, Strategy = FoPruStrategy.Row, Significance = PatchSignificance.ClsAttention)]
public sealed partial class ShapesFoPruRows;

[VisionLanguageModel("shapes")]
[FiCoCoV(R = 18, StartLayer = 3)]
[FiCoCoL(R = 7, StartLayer = 4)]
public sealed partial class ShapesFiCoCoVL;

[VisionLanguageModel("shapes")]
[SparsityMeetsSimilarity(Similarity = ClsSimilarity.ClsAttention, Round2 = SecondRound.VisualAndText, K2 = 3, Theta = 0.9)]
public sealed partial class ShapesSimilarityText;
