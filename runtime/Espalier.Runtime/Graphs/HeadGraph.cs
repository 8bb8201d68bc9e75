using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the graph that turns one row behind the last layer into scores of all tokens: <c>x</c> [b, n, H], <c>row</c> i64 [1] → <c>logits</c> [b, 1, Vocabulary], of the same row of each of b sequences.</summary>
internal static class HeadGraph
{
    /// <summary>Builds the graph.</summary>
    /// <param name="geometry">The decoder.</param>
    /// <param name="weight">The canonical name of the head's weight: <c>lm_head.weight</c> or, if tied, <c>language_model.embed_tokens.weight</c>.</param>
    /// <param name="format">The number format of the head.</param>
    public static GraphModel Build(TextGeometry geometry, string weight, LinearFormat format)
    {
        var graph = new GraphBuilder("head");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, "b", "n", geometry.Hidden);
        string row = graph.Input(GraphNames.Row, OrtElementType.Int64, 1);
        Output(graph, Emit(graph, x, row, geometry, weight, format), geometry);
        return graph.Build();
    }

    /// <summary>Emits the nodes of the head.</summary>
    internal static string Emit(GraphBuilder graph, string x, string row, TextGeometry geometry, string weight, LinearFormat format)
    {
        string last = graph.Node(Operator.Gather, "head.row", [x, row], NodeAttribute.Of("axis", 1));
        string normed = graph.RmsNorm("head.norm", last, "language_model.norm.weight", geometry);
        return format.Linear(graph, "head.logits", normed, weight, bias: null, geometry.Hidden, geometry.Vocabulary);
    }

    /// <summary>Declares the logits as output.</summary>
    internal static void Output(GraphBuilder graph, string value, TextGeometry geometry) =>
        graph.Output(GraphNames.Logits, value, OrtElementType.Float, "b", 1, geometry.Vocabulary);
}
