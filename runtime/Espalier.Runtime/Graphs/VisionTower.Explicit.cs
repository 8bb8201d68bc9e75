using Espalier.OnnxRuntime;

namespace Espalier.Graphs;

/// <content>Attention whose products and map can be read, for reductions that look at all of it.</content>
internal sealed partial class VisionTower
{
    /// <summary>The scaled products of queries and keys inside a layer with explicit attention, before any bias and before the softmax, mean over heads: [rows, rows].</summary>
    public string Logits(int layer) => MeanOverHeads(layer, "products");

    /// <summary>The attention inside a layer with explicit attention, mean over heads: [rows, rows].</summary>
    public string Probabilities(int layer) => MeanOverHeads(layer, "probabilities");

    private string ExplicitAttention(int layer, string query, string key, string value, string? logSizes)
    {
        string values = $"vision.layers.{layer}";
        string products = graph.Node(
            Operator.FusedMatMul,
            $"{values}.products",
            [Heads(query), Heads(key)],
            NodeAttribute.Of("transB", 1),
            NodeAttribute.Of("alpha", 1f / MathF.Sqrt(geometry.HeadDim)));
        string biased = logSizes is null ? products : graph.Node(Operator.Add, $"{values}.proportional", [products, logSizes]);
        string probabilities = graph.Node(Operator.Softmax, $"{values}.probabilities", [biased], NodeAttribute.Of("axis", -1));
        string mixed = graph.Node(Operator.FusedMatMul, $"{values}.mixed", [probabilities, Heads(value)]);
        string rows = graph.Node(Operator.Transpose, $"{values}.mixed.rows", [mixed], NodeAttribute.Of("perm", 0, 2, 1, 3));
        return graph.Node(Operator.Reshape, $"{values}.attention", [rows, graph.Constant(1, -1, geometry.Hidden)]);
    }

    private string MeanOverHeads(int layer, string value) =>
        graph.Node(Operator.ReduceMean, $"vision.layers.{layer}.{value}.mean", [$"vision.layers.{layer}.{value}", graph.Constant(0, 1)], NodeAttribute.Of("keepdims", 0));

    /// <summary>[1, rows, Hidden] to [1, Heads, rows, HeadDim].</summary>
    private string Heads(string rows)
    {
        string split = graph.Node(Operator.Reshape, $"{rows}.split", [rows, graph.Constant(1, -1, geometry.Heads, geometry.HeadDim)]);
        return graph.Node(Operator.Transpose, $"{rows}.heads", [split], NodeAttribute.Of("perm", 0, 2, 1, 3));
    }
}
