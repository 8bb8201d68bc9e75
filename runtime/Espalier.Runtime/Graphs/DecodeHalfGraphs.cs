using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the two halves of a decoder layer between which decode decides whether the second runs. Together they have the nodes of the whole layer, so they give its bits.</summary>
internal static class DecodeHalfGraphs
{
    /// <summary>Attention: inputs as of a dense layer; <c>y</c> are the rows with what attention adds, <c>normed</c> the same rows as the feed-forward layer reads them.</summary>
    /// <param name="geometry">The decoder.</param>
    /// <param name="layer">Zero-based decoder layer.</param>
    /// <param name="format">The format of the linear layers.</param>
    /// <exception cref="ArgumentOutOfRangeException">The decoder has no such layer.</exception>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    public static GraphModel Attention(TextGeometry geometry, int layer, LinearFormat format)
    {
        Check(geometry, layer);
        var graph = new GraphBuilder($"layers.{layer}.decode_attention");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", geometry.Hidden);
        string positions = graph.Input(GraphNames.Positions, OrtElementType.Int64, 1, "n");
        var cache = new CacheValues(
            DecoderLayerGraph.CacheInput(graph, geometry, GraphNames.PastKey, 1),
            DecoderLayerGraph.CacheInput(graph, geometry, GraphNames.PastValue, 1),
            graph.Input(GraphNames.LastRow, OrtElementType.Int32, 1),
            graph.Input(GraphNames.Total, OrtElementType.Int32, 1));
        (LayerValues values, string normed) = new DecoderLayer(graph, geometry, layer, format).AttentionAndNorm(x, positions, cache);
        graph.Output(GraphNames.Y, values.Output, OrtElementType.Float, 1, "n", geometry.Hidden);
        graph.Output(GraphNames.Normed, normed, OrtElementType.Float, 1, "n", geometry.Hidden);
        DecoderLayerGraph.CacheOutput(graph, geometry, GraphNames.PresentKey, values.PresentKey, 1);
        DecoderLayerGraph.CacheOutput(graph, geometry, GraphNames.PresentValue, values.PresentValue, 1);
        return graph.Build();
    }

    /// <summary>The feed-forward layer and its residual: <c>x</c>, <c>normed</c> → <c>y</c>.</summary>
    /// <param name="geometry">The decoder.</param>
    /// <param name="layer">Zero-based decoder layer.</param>
    /// <param name="format">The format of the linear layers.</param>
    /// <exception cref="ArgumentOutOfRangeException">The decoder has no such layer.</exception>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    public static GraphModel FeedForward(TextGeometry geometry, int layer, LinearFormat format)
    {
        Check(geometry, layer);
        var graph = new GraphBuilder($"layers.{layer}.decode_feed_forward");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", geometry.Hidden);
        string normed = graph.Input(GraphNames.Normed, OrtElementType.Float, 1, "n", geometry.Hidden);
        graph.Output(GraphNames.Y, new DecoderLayer(graph, geometry, layer, format).FeedForward(normed, x), OrtElementType.Float, 1, "n", geometry.Hidden);
        return graph.Build();
    }

    private static void Check(TextGeometry geometry, int layer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, geometry.Layers);
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);
    }
}
