namespace Espalier.Tests.Declared;

// The sample model.

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
