namespace Espalier.Planning;

/// <summary>What a layer must be able to do in prefill: its mode, and whether it hands out the score that the step behind it needs. Each kind is one session of the runtime.</summary>
public enum LayerKind
{
    /// <summary>Visual and text rows pass the whole layer.</summary>
    Dense,

    /// <summary>As <see cref="Dense"/>, and the last row's attention to each visual row comes out.</summary>
    Scored,

    /// <summary>Visual rows are read by attention but not updated.</summary>
    Frozen,

    /// <summary>As <see cref="Frozen"/>, and the last row's attention to each visual row comes out.</summary>
    FrozenScored,

    /// <summary>As <see cref="Dense"/>, and the attention of the text rows behind the image to each visual row comes out, on average.</summary>
    TextScored,

    /// <summary>As <see cref="Frozen"/>, and the attention of the text rows behind the image to each visual row comes out, on average.</summary>
    FrozenTextScored,

    /// <summary>The last layer: all rows are read by attention, and only the last one, from which the answer goes on, is computed.</summary>
    LastRow,

    /// <summary>As <see cref="Dense"/>, in two halves: attention, which hands out its map, and feed-forward layer.</summary>
    Halved,

    /// <summary>As <see cref="Dense"/>, and what some steps of PageRank over the attention of its rows leave at each row comes out.</summary>
    PageRanked,

    /// <summary>Visual rows do less work than text rows.</summary>
    Partial,

    /// <summary>As <see cref="Partial"/>, and the last row's attention to each visual row comes out.</summary>
    PartialScored,

    /// <summary>As <see cref="Partial"/>, and the attention of the text rows behind the image to each visual row comes out, on average.</summary>
    PartialTextScored,

    /// <summary>As <see cref="Dense"/>, and the attention of the raters to each visual row comes out, head by head.</summary>
    RaterScored,

    /// <summary>As <see cref="Frozen"/>, and the attention of the raters to each visual row comes out, head by head.</summary>
    FrozenRaterScored,

    /// <summary>As <see cref="Dense"/>, and the L1 norm of each cached key comes out.</summary>
    KeyNormed,

    /// <summary>As <see cref="Frozen"/>, and the L1 norm of each cached key comes out.</summary>
    FrozenKeyNormed,

    /// <summary>As <see cref="Halved"/>, and the map is the softmax of each row over all rows of the sequence.</summary>
    HalvedSoftmax,
}

/// <summary>What the kinds have in common.</summary>
public static class LayerKinds
{
    /// <summary>True if visual rows are read but not updated.</summary>
    /// <param name="kind">The kind of a layer.</param>
    public static bool IsFrozen(this LayerKind kind) => kind is LayerKind.Frozen or LayerKind.FrozenScored or LayerKind.FrozenTextScored or LayerKind.FrozenRaterScored or LayerKind.FrozenKeyNormed or LayerKind.LastRow;

    /// <summary>True if a score of each visual row comes out.</summary>
    /// <param name="kind">The kind of a layer.</param>
    public static bool IsScored(this LayerKind kind) => kind is not (LayerKind.Dense or LayerKind.Frozen or LayerKind.LastRow or LayerKind.Halved or LayerKind.HalvedSoftmax or LayerKind.Partial);

    /// <summary>True if the layer runs in two halves, and the map of its attention comes out of the first.</summary>
    /// <param name="kind">The kind of a layer.</param>
    public static bool IsHalved(this LayerKind kind) => kind is LayerKind.Halved or LayerKind.HalvedSoftmax;

    /// <summary>True if the score is the norm of each key.</summary>
    /// <param name="kind">The kind of a layer.</param>
    public static bool IsKeyNormed(this LayerKind kind) => kind is LayerKind.KeyNormed or LayerKind.FrozenKeyNormed;

    /// <summary>True if the score is that of all text rows behind the image.</summary>
    /// <param name="kind">The kind of a layer.</param>
    public static bool IsTextScored(this LayerKind kind) => kind is LayerKind.TextScored or LayerKind.FrozenTextScored or LayerKind.PartialTextScored;

    /// <summary>True if visual rows do less work than text rows.</summary>
    /// <param name="kind">The kind of a layer.</param>
    public static bool IsPartial(this LayerKind kind) => kind is LayerKind.Partial or LayerKind.PartialScored or LayerKind.PartialTextScored;

    /// <summary>True if the score is that of the raters.</summary>
    /// <param name="kind">The kind of a layer.</param>
    public static bool IsRaterScored(this LayerKind kind) => kind is LayerKind.RaterScored or LayerKind.FrozenRaterScored;
}
