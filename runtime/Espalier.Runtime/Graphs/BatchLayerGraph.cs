using System.Globalization;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the graph in which one row of each of several sequences goes through a decoder layer, where their caches are tensors apart: memory of a device has no addresses, so one sequence's part of a larger tensor could not be read alone.</summary>
internal static class BatchLayerGraph
{
    /// <summary>Builds the graph: <c>x</c> [b, 1, H], <c>positions</c> [b, 1], <c>total</c>, and of each sequence <c>past_key.i</c>, <c>past_value.i</c>, <c>seqlens_k.i</c> → <c>y</c> [b, 1, H], <c>present_key.i</c>, <c>present_value.i</c>.</summary>
    /// <param name="geometry">The decoder.</param>
    /// <param name="layer">Zero-based decoder layer.</param>
    /// <param name="format">The format of the linear layers.</param>
    /// <param name="sequences">b.</param>
    /// <exception cref="ArgumentOutOfRangeException">The decoder has no such layer, or there are no sequences.</exception>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    public static GraphModel Build(TextGeometry geometry, int layer, LinearFormat format, int sequences)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, geometry.Layers);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);

        var graph = new GraphBuilder($"layers.{layer}.together");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, sequences, 1, geometry.Hidden);
        string positions = graph.Input(GraphNames.Positions, OrtElementType.Int64, sequences, 1);
        string total = graph.Input(GraphNames.Total, OrtElementType.Int32, 1);
        var caches = new CacheValues[sequences];
        for (int sequence = 0; sequence < sequences; sequence++)
        {
            caches[sequence] = new CacheValues(
                DecoderLayerGraph.CacheInput(graph, geometry, Of(GraphNames.PastKey, sequence), 1),
                DecoderLayerGraph.CacheInput(graph, geometry, Of(GraphNames.PastValue, sequence), 1),
                graph.Input(Of(GraphNames.LastRow, sequence), OrtElementType.Int32, 1),
                total);
        }

        (string output, LayerValues[] values) = new DecoderLayer(graph, geometry, layer, format).Together(x, positions, caches);
        graph.Output(GraphNames.Y, output, OrtElementType.Float, sequences, 1, geometry.Hidden);
        for (int sequence = 0; sequence < sequences; sequence++)
        {
            DecoderLayerGraph.CacheOutput(graph, geometry, Of(GraphNames.PresentKey, sequence), values[sequence].PresentKey, 1);
            DecoderLayerGraph.CacheOutput(graph, geometry, Of(GraphNames.PresentValue, sequence), values[sequence].PresentValue, 1);
        }

        return graph.Build();
    }

    /// <summary>The name of what one sequence has of an input or output.</summary>
    public static string Of(string name, int sequence) => string.Create(CultureInfo.InvariantCulture, $"{name}.{sequence}");
}
