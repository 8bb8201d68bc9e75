namespace Espalier.Samples.Shapes.Variants;

/// <summary>ShortV on three late-middle layers: they read the visual tokens and leave them as they are.</summary>
[VisionLanguageModel("shapes")]
[ShortV(5, 6, 7)]
public sealed partial class ShortVShapes;
