namespace Espalier.Samples.Shapes.Variants;

/// <summary>Half the tokens behind the projector: those in which information gathers over the graph of similar tokens.</summary>
[VisionLanguageModel("shapes")]
[GPrune(Keep = 72)]
public sealed partial class GPruneShapes;
