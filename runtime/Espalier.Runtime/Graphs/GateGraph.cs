using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the gate behind a decoder layer (DyVTE, arXiv 2411.19628): <c>x</c> [1, n, H], <c>rows</c> i64 [m], <c>row</c> i64 [1] → <c>gate</c> f32 [1, 1, 2], what speaks for staying and for leaving.</summary>
internal static class GateGraph
{
    /// <summary>Builds <c>W2 · gelu(W1 · [mean of the rows, the row])</c>. No biases.</summary>
    /// <param name="geometry">The decoder.</param>
    /// <param name="layer">Zero-based decoder layer.</param>
    /// <param name="inner">Rows of W1.</param>
    /// <param name="format">The format of both matrices.</param>
    public static GraphModel Build(TextGeometry geometry, int layer, int inner, LinearFormat format)
    {
        var graph = new GraphBuilder($"layers.{layer}.gate");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", geometry.Hidden);
        string rows = graph.Input(GraphNames.Rows, OrtElementType.Int64, "m");
        string row = graph.Input(GraphNames.Row, OrtElementType.Int64, 1);
        string text = graph.Node(Operator.Gather, "text", [x, rows], NodeAttribute.Of("axis", 1));
        string mean = graph.Node(Operator.ReduceMean, "mean", [text, graph.Constant(1)], NodeAttribute.Of("keepdims", 1));
        string last = graph.Node(Operator.Gather, "last", [x, row], NodeAttribute.Of("axis", 1));
        string both = graph.Node(Operator.Concat, "both", [mean, last], NodeAttribute.Of("axis", 2));
        string inside = format.Linear(graph, "inside", both, DyVteWeights.First(layer), bias: null, 2 * geometry.Hidden, inner);
        string activated = graph.Activate("activated", inside, Activation.Gelu);
        string says = format.Linear(graph, "says", activated, DyVteWeights.Second(layer), bias: null, inner, 2);
        graph.Output(GraphNames.Gate, says, OrtElementType.Float, 1, 1, 2);
        return graph.Build();
    }
}
