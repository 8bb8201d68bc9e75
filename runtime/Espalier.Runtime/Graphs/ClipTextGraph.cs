using System.Globalization;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs;

/// <summary>Builds the two graphs that compare patches with a text as CLIP does (Radford et al., arXiv 2103.00020).</summary>
internal static class ClipTextGraph
{
    public const string Ids = "ids";

    /// <summary>The text tower: <c>ids</c> [n], the last of which ends the text → <c>y</c> [1, 1, Projection], the text's embedding.</summary>
    /// <remarks>Learned positions, causal attention, norms before each half, and the last row alone goes through the final norm and the projection: it is that of the end of the text, where CLIP pools.</remarks>
    public static GraphModel Text(ClipGeometry geometry)
    {
        var graph = new GraphBuilder("clip.text");
        string ids = graph.Input(Ids, OrtElementType.Int64, "n");
        string tokens = graph.Node(Operator.Gather, "tokens", [graph.Weight(ClipGeometry.TextPrefix + "embeddings.token_embedding.weight", OrtElementType.Float, geometry.Vocabulary, geometry.Hidden), ids], NodeAttribute.Of("axis", 0));

        // Counted behind the gather: WebGPU leaves the shape of 64-bit integers to the host, and would read the ids there.
        string rows = graph.Node(Operator.Shape, "rows", [tokens], NodeAttribute.Of("start", 0), NodeAttribute.Of("end", 1));
        string positions = graph.Node(Operator.Slice, "positions", [graph.Weight(ClipGeometry.TextPrefix + "embeddings.position_embedding.weight", OrtElementType.Float, geometry.Positions, geometry.Hidden), graph.Constant(0), rows, graph.Constant(0)]);
        string embedded = graph.Node(Operator.Add, "embedded.rows", [tokens, positions]);
        string x = graph.Node(Operator.Reshape, "embedded", [embedded, graph.Constant(1, -1, geometry.Hidden)]);

        // Above the diagonal minus infinity, elsewhere zero: a token reads itself and those before it.
        string size = graph.Node(Operator.Concat, "mask.size", [rows, rows], NodeAttribute.Of("axis", 0));
        string infinite = graph.Node(Operator.Expand, "mask.infinite", [graph.Scalar(float.NegativeInfinity), size]);
        string mask = graph.Node(Operator.Trilu, "mask", [infinite, graph.Constant(1)], NodeAttribute.Of("upper", 1));
        for (int layer = 0; layer < geometry.Layers; layer++)
        {
            x = Layer(graph, geometry, layer, x, mask);
        }

        string last = graph.Node(Operator.Gather, "last", [x, graph.Constant(-1)], NodeAttribute.Of("axis", 1));
        string normed = Norm(graph, "final_norm", last, ClipGeometry.TextPrefix + "final_layer_norm", geometry.Hidden, geometry.LayerNormEpsilon);
        string projected = LinearFormat.Float32.Linear(graph, "projected", normed, ClipGeometry.TextProjection, bias: null, geometry.Hidden, geometry.Projection);
        graph.Output(GraphNames.Y, projected, OrtElementType.Float, 1, 1, geometry.Projection);
        return graph.Build();
    }

    /// <summary>The patches in the same space: <c>features</c> [1, v, Hv] → <c>y</c> [1, v, Projection], by the norm behind the vision tower and its projection.</summary>
    public static GraphModel Patches(ClipGeometry geometry)
    {
        var graph = new GraphBuilder("clip.patches");
        string features = graph.Input(GraphNames.Features, OrtElementType.Float, 1, "v", geometry.Vision.Hidden);
        string normed = Norm(graph, "post_norm", features, geometry.PostNorm, geometry.Vision.Hidden, geometry.Vision.LayerNormEpsilon);
        string projected = LinearFormat.Float32.Linear(graph, "projected", normed, ClipGeometry.VisualProjection, bias: null, geometry.Vision.Hidden, geometry.Projection);
        graph.Output(GraphNames.Y, projected, OrtElementType.Float, 1, "v", geometry.Projection);
        return graph.Build();
    }

    private static string Layer(GraphBuilder graph, ClipGeometry geometry, int layer, string x, string mask)
    {
        string values = string.Create(CultureInfo.InvariantCulture, $"layers.{layer}");
        string module = string.Create(CultureInfo.InvariantCulture, $"{ClipGeometry.TextPrefix}encoder.layers.{layer}");
        int hidden = geometry.Hidden;
        string normed = Norm(graph, $"{values}.norm1", x, $"{module}.layer_norm1", hidden, geometry.LayerNormEpsilon);
        string query = Heads(Linear("q", normed, "self_attn.q_proj", hidden, hidden));
        string key = Heads(Linear("k", normed, "self_attn.k_proj", hidden, hidden));
        string value = Heads(Linear("v", normed, "self_attn.v_proj", hidden, hidden));
        string products = graph.Node(Operator.FusedMatMul, $"{values}.products", [query, key], NodeAttribute.Of("transB", 1), NodeAttribute.Of("alpha", 1f / MathF.Sqrt(geometry.HeadDim)));
        string masked = graph.Node(Operator.Add, $"{values}.masked", [products, mask]);
        string probabilities = graph.Node(Operator.Softmax, $"{values}.probabilities", [masked], NodeAttribute.Of("axis", -1));
        string mixed = graph.Node(Operator.FusedMatMul, $"{values}.mixed", [probabilities, value]);
        string rows = graph.Node(Operator.Transpose, $"{values}.mixed.rows", [mixed], NodeAttribute.Of("perm", 0, 2, 1, 3));
        string attention = graph.Node(Operator.Reshape, $"{values}.attention", [rows, graph.Constant(1, -1, hidden)]);
        string residual = graph.Node(Operator.Add, $"{values}.residual", [x, Linear("out", attention, "self_attn.out_proj", hidden, hidden)]);
        string inner = Linear("fc1", Norm(graph, $"{values}.norm2", residual, $"{module}.layer_norm2", hidden, geometry.LayerNormEpsilon), "mlp.fc1", hidden, geometry.Intermediate);
        string activated = graph.Activate($"{values}.activated", inner, geometry.Activation);
        return graph.Node(Operator.Add, $"{values}.y", [residual, Linear("fc2", activated, "mlp.fc2", geometry.Intermediate, hidden)]);

        string Linear(string name, string input, string part, int inputs, int outputs) =>
            LinearFormat.Float32.Linear(graph, $"{values}.{name}", input, $"{module}.{part}.weight", $"{module}.{part}.bias", inputs, outputs);

        string Heads(string all)
        {
            string split = graph.Node(Operator.Reshape, $"{all}.split", [all, graph.Constant(1, -1, geometry.Heads, geometry.HeadDim)]);
            return graph.Node(Operator.Transpose, $"{all}.heads", [split], NodeAttribute.Of("perm", 0, 2, 1, 3));
        }
    }

    private static string Norm(GraphBuilder graph, string result, string x, string module, int width, float epsilon) => graph.Node(
        Operator.LayerNormalization,
        result,
        [x, graph.Weight($"{module}.weight", OrtElementType.Float, width), graph.Weight($"{module}.bias", OrtElementType.Float, width)],
        NodeAttribute.Of("axis", -1),
        NodeAttribute.Of("epsilon", epsilon));
}
