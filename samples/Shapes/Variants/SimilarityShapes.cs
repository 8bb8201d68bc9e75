namespace Espalier.Samples.Shapes.Variants;

/// <summary>As many tokens as the image asks for: those most like the CLS token, up to the inflection; in the decoder those that the text reads.</summary>
[VisionLanguageModel("shapes")]
[SparsityMeetsSimilarity]
public sealed partial class SimilarityShapes;
