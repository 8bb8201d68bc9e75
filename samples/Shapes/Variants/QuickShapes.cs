namespace Espalier.Samples.Shapes.Variants;

/// <summary>Three policies in one plan: half the visual tokens leave early, the rest is frozen in three layers, and none is left for the last one.</summary>
[VisionLanguageModel("shapes")]
[FastV(K = 2, R = 0.5)]
[ShortV(5, 6, 7)]
[Vtw(K = 9)]
public sealed partial class QuickShapes;
