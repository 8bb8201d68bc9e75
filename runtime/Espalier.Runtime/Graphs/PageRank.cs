using Espalier.OnnxRuntime;

namespace Espalier.Graphs;

/// <summary>Emits PageRank over the attention of rows among themselves, head by head (AIM, arXiv 2412.03248).</summary>
internal static class PageRank
{
    /// <summary>The paper's τ: the products of queries and keys are divided by it, so that the attention is sharper than the layer's own.</summary>
    public const float Temperature = 0.1f;

    // The authors' code; its damping is 0.
    private const int Steps = 5;

    /// <summary>Smaller importances are equal: below it a float has no reciprocal.</summary>
    private const float Least = 1.17549435e-38f;

    /// <summary>From a share of 1 / key_rows for each row, five times what each row passes on to those that it attends to; then the root of the mean square over the heads.</summary>
    /// <remarks>Rows before those of the graph are not asked: under the causal mask nothing flows from them to later rows.</remarks>
    /// <param name="graph">Where to.</param>
    /// <param name="prefix">What the names of the nodes begin with.</param>
    /// <param name="products">The products of queries and keys, masked and divided by <see cref="Temperature"/>, [1, heads, n, key_rows]. The last n keys are the rows' own.</param>
    /// <param name="heads">The heads.</param>
    /// <param name="rows">n, i64 [1].</param>
    /// <param name="keyRows">All keys, i64 [1].</param>
    /// <returns>One importance a row, [n].</returns>
    public static string Emit(GraphBuilder graph, string prefix, string products, int heads, string rows, string keyRows)
    {
        string attention = graph.Node(Operator.Softmax, $"{prefix}.attention", [products], NodeAttribute.Of("axis", -1));
        string first = graph.Node(Operator.Neg, $"{prefix}.first", [rows]);
        string own = graph.Node(Operator.Slice, $"{prefix}.own", [attention, first, graph.Constant(long.MaxValue), graph.Constant(3)]);
        string count = graph.Node(Operator.Cast, $"{prefix}.count", [keyRows], NodeAttribute.Of("to", (long)OrtElementType.Float));
        string share = graph.Node(Operator.Reciprocal, $"{prefix}.share", [count]);
        string size = graph.Node(Operator.Concat, $"{prefix}.size", [graph.Constant(1, heads, 1), rows], NodeAttribute.Of("axis", 0));
        string mass = graph.Node(Operator.Expand, $"{prefix}.start", [share, size]);
        for (int step = 1; step <= Steps; step++)
        {
            mass = graph.Node(Operator.FusedMatMul, $"{prefix}.mass.{step}", [mass, own]);
        }

        // Little is left of late rows. Their squares would be too small for a float, so each row is measured by its largest head.
        string largest = graph.Node(Operator.ReduceMax, $"{prefix}.largest", [mass, graph.Constant(0, 1, 2)], NodeAttribute.Of("keepdims", 0));
        string unit = graph.Node(Operator.Reciprocal, $"{prefix}.unit", [graph.Node(Operator.Max, $"{prefix}.positive", [largest, graph.Scalar(Least)])]);
        string relative = graph.Node(Operator.Mul, $"{prefix}.relative", [mass, unit]);
        string squares = graph.Node(Operator.Mul, $"{prefix}.squares", [relative, relative]);
        string mean = graph.Node(Operator.ReduceMean, $"{prefix}.mean", [squares, graph.Constant(0, 1, 2)], NodeAttribute.Of("keepdims", 0));
        return graph.Node(Operator.Mul, $"{prefix}.importance", [graph.Node(Operator.Sqrt, $"{prefix}.root", [mean]), largest]);
    }
}
