using System.Diagnostics;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Emits the parts of a CLIP or SigLIP vision tower: the embeddings, any run of layers, the features.</summary>
/// <remarks>The layers take any count of rows, so a reduction may stand between two runs of them.</remarks>
internal sealed partial class VisionTower(GraphBuilder graph, VisionGeometry geometry, LinearFormat format)
{
    private const string Tower = "vision_tower";

    /// <summary>Pixels [1, 3, ImageSize, ImageSize] to rows [1, Tokens, Hidden]: patches in row-major order, behind the CLS row if the tower has one.</summary>
    public string Embed(string pixels)
    {
        string weight = graph.Weight($"{Tower}.embeddings.patch_embedding.weight", OrtElementType.Float, geometry.Hidden, 3, geometry.PatchSize, geometry.PatchSize);
        ReadOnlySpan<string> inputs = geometry.Family == VisionFamily.Siglip
            ? [pixels, weight, graph.Weight($"{Tower}.embeddings.patch_embedding.bias", OrtElementType.Float, geometry.Hidden)]
            : [pixels, weight];
        string patches = graph.Node(Operator.Conv, "vision.patches", inputs, NodeAttribute.Of("strides", geometry.PatchSize, geometry.PatchSize));
        string flat = graph.Node(Operator.Reshape, "vision.patches.flat", [patches, graph.Constant(1, geometry.Hidden, geometry.Patches)]);
        string rows = graph.Node(Operator.Transpose, "vision.patches.rows", [flat], NodeAttribute.Of("perm", 0, 2, 1));
        if (geometry.HasCls)
        {
            string cls = graph.Node(Operator.Reshape, "vision.cls", [graph.Weight($"{Tower}.embeddings.class_embedding", OrtElementType.Float, geometry.Hidden), graph.Constant(1, 1, geometry.Hidden)]);
            rows = graph.Node(Operator.Concat, "vision.rows", [cls, rows], NodeAttribute.Of("axis", 1));
        }

        string positions = graph.Weight($"{Tower}.embeddings.position_embedding.weight", OrtElementType.Float, geometry.Tokens, geometry.Hidden);
        string embedded = graph.Node(Operator.Add, "vision.embedded", [rows, positions]);

        // The checkpoints spell it so.
        return geometry.Family == VisionFamily.Clip ? Norm("vision.pre_norm", embedded, $"{Tower}.pre_layrnorm") : embedded;
    }

    /// <summary>The layers <paramref name="first"/> to <paramref name="last"/>, both inclusive; none if <paramref name="last"/> is smaller.</summary>
    public string Layers(string x, int first, int last)
    {
        for (int layer = first; layer <= last; layer++)
        {
            x = Layer(x, layer);
        }

        return x;
    }

    /// <summary>The rows that leave the tower: all, or all but the CLS row.</summary>
    public string Features(string x) => geometry.HasCls && !geometry.KeepsCls
        ? graph.Node(Operator.Slice, "vision.features", [x, graph.Constant(1), graph.Constant(long.MaxValue), graph.Constant(1)])
        : x;

    /// <summary>The softmax attention that the CLS row pays to the patches inside a layer that was emitted, mean over heads: [Patches]. The softmax is over all rows, the CLS column leaves behind it.</summary>
    public string ClsAttention(int layer)
    {
        string values = $"vision.layers.{layer}.cls";
        string row = graph.Node(Operator.Gather, $"{values}.query.row", [$"vision.layers.{layer}.q", graph.Constant(0)], NodeAttribute.Of("axis", 1));
        string query = graph.Node(Operator.Reshape, $"{values}.query", [row, graph.Constant(1, geometry.Heads, 1, geometry.HeadDim)]);
        string split = graph.Node(Operator.Reshape, $"{values}.keys.split", [$"vision.layers.{layer}.k", graph.Constant(1, -1, geometry.Heads, geometry.HeadDim)]);
        string keys = graph.Node(Operator.Transpose, $"{values}.keys", [split], NodeAttribute.Of("perm", 0, 2, 1, 3));
        string products = graph.Node(
            Operator.FusedMatMul,
            $"{values}.products",
            [query, keys],
            NodeAttribute.Of("transB", 1),
            NodeAttribute.Of("alpha", 1f / MathF.Sqrt(geometry.HeadDim)));
        string probabilities = graph.Node(Operator.Softmax, $"{values}.probabilities", [products], NodeAttribute.Of("axis", -1));
        string mean = graph.Node(Operator.ReduceMean, $"{values}.mean", [probabilities, graph.Constant(0, 1, 2)], NodeAttribute.Of("keepdims", 0));
        return WithoutCls($"{values}.attention", mean);
    }

    /// <summary>The same, summed over layers that were emitted.</summary>
    public string ClsAttention(TowerScores scores)
    {
        string attention = ClsAttention(scores.FirstLayer);
        for (int layer = scores.FirstLayer + 1; layer <= scores.LastLayer; layer++)
        {
            attention = graph.Node(Operator.Add, $"vision.cls_attention.{layer}", [attention, ClsAttention(layer)]);
        }

        return attention;
    }

    /// <summary>The keys of the patches inside a layer that was emitted, before any scaling, mean over heads: [Patches, HeadDim].</summary>
    public string Keys(int layer) => WithoutCls($"vision.layers.{layer}.patch_keys", AllKeys(layer));

    /// <summary>The keys of all rows inside a layer that was emitted, before any scaling, mean over heads: [rows, HeadDim].</summary>
    public string AllKeys(int layer)
    {
        string split = graph.Node(Operator.Reshape, $"vision.layers.{layer}.mean_keys.split", [$"vision.layers.{layer}.k", graph.Constant(1, -1, geometry.Heads, geometry.HeadDim)]);
        return graph.Node(Operator.ReduceMean, $"vision.layers.{layer}.mean_keys", [split, graph.Constant(0, 2)], NodeAttribute.Of("keepdims", 0));
    }

    /// <summary>The softmax attention that the CLS row pays to the patches with queries and keys over their full width, as if there were one head (PruMerge, arXiv 2403.15388): [Patches].</summary>
    public string FullWidthClsAttention(int layer)
    {
        string values = $"vision.layers.{layer}.wide";
        string row = graph.Node(Operator.Gather, $"{values}.query.row", [$"vision.layers.{layer}.q", graph.Constant(0)], NodeAttribute.Of("axis", 1));
        string query = graph.Node(Operator.Reshape, $"{values}.query", [row, graph.Constant(1, 1, geometry.Hidden)]);
        string products = graph.Node(
            Operator.FusedMatMul,
            $"{values}.products",
            [query, $"vision.layers.{layer}.k"],
            NodeAttribute.Of("transB", 1),
            NodeAttribute.Of("alpha", 1f / MathF.Sqrt(geometry.Hidden)));
        string probabilities = graph.Node(Operator.Softmax, $"{values}.probabilities", [products], NodeAttribute.Of("axis", -1));
        string flat = graph.Node(Operator.Reshape, $"{values}.flat", [probabilities, graph.Constant(-1)]);
        return WithoutCls($"{values}.attention", flat);
    }

    /// <summary>The keys of the patches over their full width: [Patches, Hidden].</summary>
    public string FullWidthKeys(int layer)
    {
        string rows = graph.Node(Operator.Reshape, $"vision.layers.{layer}.wide_keys", [$"vision.layers.{layer}.k", graph.Constant(-1, geometry.Hidden)]);
        return WithoutCls($"vision.layers.{layer}.wide_patch_keys", rows);
    }

    /// <summary>The softmax attention that the patches receive from all rows inside a layer that was emitted, mean over rows and heads: [Patches].</summary>
    public string ReceivedAttention(int layer)
    {
        string values = $"vision.layers.{layer}.received";
        string products = graph.Node(
            Operator.FusedMatMul,
            $"{values}.products",
            [Heads($"{values}.queries", $"vision.layers.{layer}.q"), Heads($"{values}.keys", $"vision.layers.{layer}.k")],
            NodeAttribute.Of("transB", 1),
            NodeAttribute.Of("alpha", 1f / MathF.Sqrt(geometry.HeadDim)));
        string probabilities = graph.Node(Operator.Softmax, $"{values}.probabilities", [products], NodeAttribute.Of("axis", -1));
        string mean = graph.Node(Operator.ReduceMean, $"{values}.mean", [probabilities, graph.Constant(0, 1, 2)], NodeAttribute.Of("keepdims", 0));
        return WithoutCls($"{values}.attention", mean);
    }

    /// <summary>Emits queries and keys of a layer and nothing else of it.</summary>
    public void QueriesAndKeys(string x, int layer)
    {
        string values = $"vision.layers.{layer}";
        string module = $"{Tower}.encoder.layers.{layer}";
        string normed = Norm($"{values}.norm1", x, $"{module}.layer_norm1");
        Linear($"{values}.q", normed, $"{module}.self_attn.q_proj", geometry.Hidden, geometry.Hidden);
        Linear($"{values}.k", normed, $"{module}.self_attn.k_proj", geometry.Hidden, geometry.Hidden);
    }

    private string Heads(string values, string rows)
    {
        string split = graph.Node(Operator.Reshape, $"{values}.split", [rows, graph.Constant(1, -1, geometry.Heads, geometry.HeadDim)]);
        return graph.Node(Operator.Transpose, values, [split], NodeAttribute.Of("perm", 0, 2, 1, 3));
    }

    private string WithoutCls(string result, string rows) => !geometry.HasCls ? rows : graph.Node(Operator.Slice, result, [rows, graph.Constant(1), graph.Constant(long.MaxValue), graph.Constant(0)]);

    private string Layer(string x, int layer) => FeedForward(Attention(x, layer, explicitly: false, logSizes: null), layer);

    /// <summary>The first half of a layer, to the residual behind its attention.</summary>
    /// <param name="x">The rows.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="explicitly">True if products and attention are values of the graph, for <see cref="Logits"/> and <see cref="Probabilities"/>.</param>
    /// <param name="logSizes">Logarithms that are added to the products with each key, [rows]; null for none. Only explicitly.</param>
    public string Attention(string x, int layer, bool explicitly, string? logSizes)
    {
        string values = $"vision.layers.{layer}";
        string module = $"{Tower}.encoder.layers.{layer}";

        string normed = Norm($"{values}.norm1", x, $"{module}.layer_norm1");
        string query = Linear($"{values}.q", normed, $"{module}.self_attn.q_proj", geometry.Hidden, geometry.Hidden);
        string key = Linear($"{values}.k", normed, $"{module}.self_attn.k_proj", geometry.Hidden, geometry.Hidden);
        string value = Linear($"{values}.v", normed, $"{module}.self_attn.v_proj", geometry.Hidden, geometry.Hidden);
        string attention = explicitly
            ? ExplicitAttention(layer, query, key, value, logSizes)
            : graph.Node(Operator.MultiHeadAttention, $"{values}.attention", [query, key, value], NodeAttribute.Of("num_heads", geometry.Heads));
        string projected = Linear($"{values}.out_proj", attention, $"{module}.self_attn.out_proj", geometry.Hidden, geometry.Hidden);
        return graph.Node(Operator.Add, $"{values}.residual", [x, projected]);
    }

    /// <summary>The second half of a layer, from the residual behind its attention.</summary>
    public string FeedForward(string residual, int layer)
    {
        string values = $"vision.layers.{layer}";
        string module = $"{Tower}.encoder.layers.{layer}";
        string inner = Linear($"{values}.fc1", Norm($"{values}.norm2", residual, $"{module}.layer_norm2"), $"{module}.mlp.fc1", geometry.Hidden, geometry.Intermediate);
        string activated = graph.Activate($"{values}.activated", inner, geometry.Activation);
        string outer = Linear($"{values}.fc2", activated, $"{module}.mlp.fc2", geometry.Intermediate, geometry.Hidden);
        return graph.Node(Operator.Add, $"{values}.y", [residual, outer]);
    }

    private string Norm(string result, string x, string module) =>
        graph.Node(
            Operator.LayerNormalization,
            result,
            [x, graph.Weight($"{module}.weight", OrtElementType.Float, geometry.Hidden), graph.Weight($"{module}.bias", OrtElementType.Float, geometry.Hidden)],
            NodeAttribute.Of("axis", -1),
            NodeAttribute.Of("epsilon", geometry.LayerNormEpsilon));

    private string Linear(string result, string input, string module, int inputWidth, int outputWidth) =>
        format.Linear(graph, result, input, $"{module}.weight", $"{module}.bias", inputWidth, outputWidth);
}

/// <summary>Emits activation functions.</summary>
internal static class Activations
{
    /// <summary>Applies an activation to every element.</summary>
    public static string Activate(this GraphBuilder graph, string result, string x, Activation activation) => activation switch
    {
        Activation.QuickGelu => graph.Node(Operator.QuickGelu, result, [x], NodeAttribute.Of("alpha", 1.702f)),
        Activation.Silu => graph.Node(Operator.QuickGelu, result, [x], NodeAttribute.Of("alpha", 1f)),
        Activation.Gelu => graph.Node(Operator.Gelu, result, [x], NodeAttribute.Of("approximate", "none")),
        Activation.GeluTanh => graph.Node(Operator.Gelu, result, [x], NodeAttribute.Of("approximate", "tanh")),
        _ => throw new UnreachableException($"Unknown activation {activation}."),
    };
}
