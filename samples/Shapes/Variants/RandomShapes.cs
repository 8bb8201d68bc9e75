namespace Espalier.Samples.Shapes.Variants;

/// <summary>The baseline beside FastV: as many tokens at the same layer, chosen by chance.</summary>
[VisionLanguageModel("shapes")]
[RandomPrune(AfterLayer = 1, KeepRatio = 0.5)]
public sealed partial class RandomShapes;
