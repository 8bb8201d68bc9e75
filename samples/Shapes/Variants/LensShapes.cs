namespace Espalier.Samples.Shapes.Variants;

/// <summary>RedundancyLens on the late layers: visual tokens use the fifth of the neurons that some of them activate most, and attend to the 36 visual tokens before them.</summary>
[VisionLanguageModel("shapes")]
[RedundancyLens(5, 6, 7, 8, RA = 36)]
public sealed partial class LensShapes;
