namespace Espalier.Samples.Shapes.Variants;

/// <summary>About half the tokens inside the vision tower: the 14 most similar pairs of each of its five layers become one.</summary>
[VisionLanguageModel("shapes")]
[ToMe(R = 14)]
public sealed partial class ToMeShapes;
