namespace Espalier.Tests.Declared;

// Reductions that ask the text rows which resemble the image.

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

// No golden: a rank that is never reached lets all stay, so it is the dense class.
[VisionLanguageModel("clip-llama")]
[SparseVlm(Layers = [1, 2], Lambda = 0.001)]
public sealed partial class ClipLlamaSparseVlmAll;

[VisionLanguageModel("siglip-qwen2")]
[SparseVlm(Layers = [0, 2], Keep = [14, 6], Tau = 0.5)]
public sealed partial class SiglipQwen2SparseVlm;
