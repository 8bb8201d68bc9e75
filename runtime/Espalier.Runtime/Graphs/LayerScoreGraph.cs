using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the graph that asks a decoder layer, before it runs, what its last row would attend to (PyramidDrop, arXiv 2410.17247).</summary>
/// <remarks>
/// Inputs: <c>x</c>, <c>positions</c>, <c>past_key</c>, <c>key_rows</c>, the cache rows in use before the run; output: <c>score</c> f32 [key_rows + n], the attention to the cached rows and then to
/// the rows of <c>x</c>. Nothing is written into the cache. Shapes: <see cref="GraphNames"/>.
/// </remarks>
internal static class LayerScoreGraph
{
    /// <summary>Builds the graph of layer <paramref name="layer"/>, zero-based.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The decoder has no such layer.</exception>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    public static GraphModel Build(TextGeometry geometry, int layer, LinearFormat format)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, geometry.Layers);
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);

        var graph = new GraphBuilder($"layers.{layer}.score");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", geometry.Hidden);
        string positions = graph.Input(GraphNames.Positions, OrtElementType.Int64, 1, "n");
        string pastKey = DecoderLayerGraph.CacheInput(graph, geometry, GraphNames.PastKey, 1);
        string keyRows = graph.Input(GraphNames.KeyRows, OrtElementType.Int64, 1);
        string score = new DecoderLayer(graph, geometry, layer, format).ScoreAhead(x, positions, pastKey, keyRows);
        graph.Output(GraphNames.Score, score, OrtElementType.Float, "scored");
        return graph.Build();
    }
}
