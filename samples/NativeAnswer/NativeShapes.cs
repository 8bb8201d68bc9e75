namespace Espalier.Samples.NativeAnswer;

/// <summary>Every kind of reduction in one plan, so that the native program runs every kind of session.</summary>
[VisionLanguageModel("shapes")]
[FastV(K = 2, R = 0.5)]
[ShortV(5, 6, 7)]
[Vtw(K = 9)]
public sealed partial class NativeShapes;
