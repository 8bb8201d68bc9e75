namespace Espalier.Samples.Shapes.Variants;

/// <summary>As many tokens as the image asks for: those that the CLS token attends to, those that the text asks for, and a few into which the others go.</summary>
[VisionLanguageModel("shapes")]
[RecoverableCompression]
public sealed partial class RecoverableShapes;
