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

/// <summary>A run of decoder layers with one mode and one count of visual tokens. Layers are zero-based, both ends inclusive.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
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
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="FirstLayer">First layer of the run.</param>
/// <param name="LastLayer">Last layer of the run. A scored run is one layer long.</param>
/// <param name="Kind">What the layers do.</param>
/// <param name="VisualTokens">Visual rows in these layers; 0 after an exit.</param>
public sealed record LayerRun(int FirstLayer, int LastLayer, LayerKind Kind, int VisualTokens);

/// <summary>A run of decoder layers whose KV caches hold the same number of visual rows: what a decode step walks over.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="FirstLayer">First layer of the run.</param>
/// <param name="LastLayer">Last layer of the run.</param>
/// <param name="VisualTokens">Visual rows cached in each of these layers.</param>
public sealed record CacheRun(int FirstLayer, int LastLayer, int VisualTokens);
