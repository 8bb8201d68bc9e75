namespace Espalier.Tests.Declared;

// No goldens: what these classes ask for is known before the image is, and no less than what the image then has. So they are the class without it.

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(AtLeast = 1, Round2 = SecondRound.VisualAndText, Theta = 1e-9)]
public sealed partial class ClipLlamaSimilarityBothAll;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
public sealed partial class ClipLlamaFewTokens;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
[PruneVisual(AfterLayer = 1, Keep = 35)]
public sealed partial class ClipLlamaFewPruned;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
[FastV(K = 2, R = 0.02)]
public sealed partial class ClipLlamaFewFastV;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
[FastV(K = 2, R = 0.02, Rows = FastVRows.Mean)]
public sealed partial class ClipLlamaFewFastVMean;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
[SparseVlmPlus(Layers = [1], Keep = [35], Heads = 2)]
public sealed partial class ClipLlamaFewSparseVlmPlus;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
[SparseVlm(Layers = [1], Keep = [35], Tau = 0)]
public sealed partial class ClipLlamaFewSparseVlm;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
[DivPrune(Keep = 35)]
public sealed partial class ClipLlamaFewDivPrune;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
[CDPruner(Keep = 35)]
public sealed partial class ClipLlamaFewCDPruner;

[VisionLanguageModel("clip-llama")]
[SparsityMeetsSimilarity(Round2 = SecondRound.None)]
[GPrune(Keep = 35)]
public sealed partial class ClipLlamaFewGPrune;
