using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the whole decoder as one graph from the emitters of the single layers: what the sessions of single layers are measured and checked against.</summary>
/// <remarks>Inputs: <c>x</c>, <c>positions</c>, <c>past_key.{layer}</c>, <c>past_value.{layer}</c>, <c>seqlens_k</c>, <c>total</c>, <c>row</c>; outputs: <c>logits</c>, <c>present_key.{layer}</c>, <c>present_value.{layer}</c>. Shapes: <see cref="GraphNames"/>.</remarks>
internal static class MonolithGraph
{
    /// <summary>Builds the graph of all layers and the head.</summary>
    /// <param name="geometry">The decoder.</param>
    /// <param name="headWeight">The canonical name of the head's weight.</param>
    /// <param name="format">The number format of all linear layers.</param>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    public static GraphModel Build(TextGeometry geometry, string headWeight, LinearFormat format)
    {
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);
        var graph = new GraphBuilder("decoder");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", geometry.Hidden);
        string positions = graph.Input(GraphNames.Positions, OrtElementType.Int64, 1, "n");
        string lastRow = graph.Input(GraphNames.LastRow, OrtElementType.Int32, 1);
        string total = graph.Input(GraphNames.Total, OrtElementType.Int32, 1);
        string row = graph.Input(GraphNames.Row, OrtElementType.Int64, 1);

        for (int layer = 0; layer < geometry.Layers; layer++)
        {
            string pastKey = DecoderLayerGraph.CacheInput(graph, geometry, OfLayer(GraphNames.PastKey, layer), 1);
            string pastValue = DecoderLayerGraph.CacheInput(graph, geometry, OfLayer(GraphNames.PastValue, layer), 1);
            var values = new DecoderLayer(graph, geometry, layer, format).Dense(x, positions, new CacheValues(pastKey, pastValue, lastRow, total));
            DecoderLayerGraph.CacheOutput(graph, geometry, OfLayer(GraphNames.PresentKey, layer), values.PresentKey, 1);
            DecoderLayerGraph.CacheOutput(graph, geometry, OfLayer(GraphNames.PresentValue, layer), values.PresentValue, 1);
            x = values.Output;
        }

        HeadGraph.Output(graph, HeadGraph.Emit(graph, x, row, geometry, headWeight, format), geometry);
        return graph.Build();
    }

    /// <summary>The name of an input or output that every layer has.</summary>
    public static string OfLayer(string name, int layer) => $"{name}.{layer}";
}
