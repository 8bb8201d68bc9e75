namespace Espalier;

/// <summary>The parts of a model that are sessions of their own.</summary>
internal enum ModelPart
{
    /// <summary>Pixels to features.</summary>
    Vision,

    /// <summary>Pixels to features, with CLS attention and keys.</summary>
    ScoredVision,

    /// <summary>Pixels to the rows of the first tower layer.</summary>
    EmbedPatches,

    /// <summary>Whole tower layers.</summary>
    TowerLayers,

    /// <summary>One tower layer up to the residual behind its attention.</summary>
    TowerAttention,

    /// <summary>The rest of one tower layer.</summary>
    TowerFeedForward,

    /// <summary>Tower layers that run on fewer rows.</summary>
    MergedTowerLayers,

    /// <summary>What the CLS row pays to the others in one tower layer.</summary>
    TowerClsAttention,

    /// <summary>Rows of the tower that take in others.</summary>
    AbsorbFeatures,

    /// <summary>Features to visual rows.</summary>
    Projector,

    /// <summary>Gather of features.</summary>
    GatherFeatures,

    /// <summary>Features mixed by weights.</summary>
    MergeFeatures,

    /// <summary>Projected tokens mixed by weights.</summary>
    MergeProjected,

    /// <summary>One decoder layer.</summary>
    DecoderLayer,

    /// <summary>One decoder layer over a row of each of several sequences of a device.</summary>
    BatchLayer,

    /// <summary>The second half of one decoder layer.</summary>
    FeedForward,

    /// <summary>The first half of one decoder layer, for decode steps that may skip the second.</summary>
    DecodeAttention,

    /// <summary>The second half of one decoder layer, for decode steps that may skip it.</summary>
    DecodeFeedForward,

    /// <summary>What one decoder layer would attend to.</summary>
    LayerScore,

    /// <summary>The gate behind one decoder layer.</summary>
    Gate,

    /// <summary>CLIP's text tower.</summary>
    ClipText,

    /// <summary>Features in the space of CLIP's texts.</summary>
    ClipPatches,

    /// <summary>Final norm and head.</summary>
    Head,

    /// <summary>Final norm of all rows.</summary>
    FinalNorm,

    /// <summary>Row gather.</summary>
    GatherRows,

    /// <summary>Rows of a KV cache on a device that move to its beginning.</summary>
    KeepCached,

    /// <summary>Rows of a prefix out of a KV cache on a device.</summary>
    TakePrefix,

    /// <summary>Rows of a prefix into a KV cache on a device.</summary>
    PutPrefix,

    /// <summary>Rows that take others in.</summary>
    MergeRows,

    /// <summary>Rows split into visual and text.</summary>
    PartRows,

    /// <summary>Visual and text rows joined.</summary>
    JoinRows,
}
