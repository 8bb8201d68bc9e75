namespace Espalier.Tests.Declared;

// One class a golden case of tests/reference in which visual tokens stay and do less work.

[VisionLanguageModel("clip-llama")]
[Yopo]
public sealed partial class ClipLlamaYopo;

[VisionLanguageModel("clip-llama")]
[Yopo(W = 0, Ratio = 3, LayerCut = 4, FirstLayer = 1)]
public sealed partial class ClipLlamaYopoNeurons;

[VisionLanguageModel("clip-llama")]
[Yopo(W = 3, Ratio = 1, Causal = false)]
public sealed partial class ClipLlamaYopoAround;

[VisionLanguageModel("clip-llama")]
[YopoHeads(0, 1, Layer = 1)]
[YopoHeads(3, Layer = 2)]
[YopoHeads(0, 1, 2, 3, Layer = 3)]
public sealed partial class ClipLlamaYopoHeads;

[VisionLanguageModel("clip-llama")]
[DivPrune(Keep = 30)]
[FastV(K = 2, R = 0.5)]
[Yopo(LayerCut = 5, FirstLayer = 1)]
[YopoHeads(1, Layer = 3)]
[ShortV(2)]
public sealed partial class ClipLlamaYopoTogether;

[VisionLanguageModel("clip-llama")]
[RedundancyLens(1, 2, 4, RA = 7)]
public sealed partial class ClipLlamaLens;

[VisionLanguageModel("clip-llama")]
[RedundancyLens(1, 3, K = 0.5, M = 0.3, RA = 9)]
[FastV(K = 2, R = 0.5, Rows = FastVRows.Mean)]
[Vtw(K = 5)]
public sealed partial class ClipLlamaLensTogether;

[VisionLanguageModel("clip-llama")]
[DyVte]
[RedundancyLens(1, 2, 3, 4, M = 0.2, Attention = false)]
public sealed partial class ClipLlamaLensGated;

[VisionLanguageModel("clip-llama")]
[Victor(M = 4, K = 4)]
[Yopo(FirstLayer = 1)]
public sealed partial class ClipLlamaVictorPartial;

[VisionLanguageModel("siglip-qwen2")]
[Yopo(W = 3, LayerCut = 5)]
[YopoHeads(0, Layer = 2)]
public sealed partial class SiglipQwen2Yopo;

[VisionLanguageModel("siglip-qwen2")]
[RedundancyLens(0, 1, 2, 3, K = 0.3, M = 0.15, RA = 6)]
public sealed partial class SiglipQwen2Lens;

[VisionLanguageModel("shapes")]
[Yopo(LayerCut = 9, FirstLayer = 2)]
public sealed partial class ShapesYopo;

[VisionLanguageModel("shapes")]
[RedundancyLens(3, 4, 5, 6, 7, RA = 40)]
public sealed partial class ShapesLens;

// Only the image says how many visual rows do less.
[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
[Yopo(FirstLayer = 1, Ratio = 1)]
[RedundancyLens(2, 3, Attention = false)]
public sealed partial class ClipLlamaSimilarityPartial;
