using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>How a run of decoder layers treats the visual rows in prefill.</summary>
public enum LayerMode
{
    /// <summary>Visual and text rows pass the whole layer.</summary>
    Dense,

    /// <summary>Visual rows are read by attention but not updated (ShortV, arXiv 2504.00502, section 3).</summary>
    Frozen,

    /// <summary>Visual and text rows pass the whole layer; between attention and feed-forward layer some visual rows go into others.</summary>
    Merging,

    /// <summary>Text rows pass the whole layer; visual rows pass it too, but do less work there (<see cref="PartialWork"/>).</summary>
    Partial,
}

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
}

/// <summary>What the kinds have in common.</summary>
public static class LayerKinds
{
    /// <summary>True if visual rows are read but not updated.</summary>
    /// <param name="kind">The kind of a layer.</param>
    public static bool IsFrozen(this LayerKind kind) => kind is LayerKind.Frozen or LayerKind.FrozenScored or LayerKind.FrozenTextScored or LayerKind.FrozenRaterScored or LayerKind.FrozenKeyNormed or LayerKind.LastRow;

    /// <summary>True if a score of each visual row comes out.</summary>
    /// <param name="kind">The kind of a layer.</param>
    public static bool IsScored(this LayerKind kind) => kind is not (LayerKind.Dense or LayerKind.Frozen or LayerKind.LastRow or LayerKind.Halved or LayerKind.Partial);

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

/// <summary>A run of decoder layers with one mode and one count of visual tokens. Layers are zero-based, both ends inclusive.</summary>
/// <param name="FirstLayer">First layer of the run.</param>
/// <param name="LastLayer">Last layer of the run.</param>
/// <param name="Mode">What happens to the visual rows.</param>
/// <param name="VisualTokens">Visual rows in these layers; 0 after an exit.</param>
/// <param name="Partial">What visual rows still do if <paramref name="Mode"/> is <see cref="LayerMode.Partial"/>, else null.</param>
public sealed record Segment(int FirstLayer, int LastLayer, LayerMode Mode, int VisualTokens, PartialWork? Partial = null)
{
    /// <summary>Layers in the run.</summary>
    public int Layers => LastLayer - FirstLayer + 1;

    /// <summary>Layers that follow each other, each a segment of its own with fewer visual rows than the one before.</summary>
    /// <param name="firstLayer">First layer.</param>
    /// <param name="lastLayer">Last layer.</param>
    /// <param name="mode">What happens to the visual rows.</param>
    /// <param name="visualTokens">Visual rows in the first layer.</param>
    /// <param name="by">How many fewer there are in each further layer.</param>
    public static IEnumerable<Segment> Falling(int firstLayer, int lastLayer, LayerMode mode, int visualTokens, int by)
    {
        for (int layer = firstLayer; layer <= lastLayer; layer++)
        {
            yield return new Segment(layer, layer, mode, visualTokens - ((layer - firstLayer) * by));
        }
    }
}

/// <summary>A run of decoder layers that prefill executes with one kind: a segment, cut where a layer also yields scores.</summary>
/// <param name="FirstLayer">First layer of the run.</param>
/// <param name="LastLayer">Last layer of the run. A scored run is one layer long.</param>
/// <param name="Kind">What the layers do.</param>
/// <param name="VisualTokens">Visual rows in these layers; 0 after an exit.</param>
public sealed record LayerRun(int FirstLayer, int LastLayer, LayerKind Kind, int VisualTokens);

/// <summary>A run of decoder layers whose KV caches hold the same number of visual rows: what a decode step walks over.</summary>
/// <param name="FirstLayer">First layer of the run.</param>
/// <param name="LastLayer">Last layer of the run.</param>
/// <param name="VisualTokens">Visual rows cached in each of these layers.</param>
public sealed record CacheRun(int FirstLayer, int LastLayer, int VisualTokens);
