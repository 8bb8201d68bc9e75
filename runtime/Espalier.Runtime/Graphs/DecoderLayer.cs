using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>The values that a decoder layer reads beside its rows.</summary>
/// <param name="PastKey">The cache of keys.</param>
/// <param name="PastValue">The cache of values.</param>
/// <param name="LastRow">See <see cref="GraphNames.LastRow"/>.</param>
/// <param name="Total">See <see cref="GraphNames.Total"/>.</param>
internal readonly record struct CacheValues(string PastKey, string PastValue, string LastRow, string Total);

/// <summary>The values that a decoder layer computes.</summary>
/// <param name="Output">The rows behind the layer.</param>
/// <param name="Query">The rotated queries, [1, n, QueryWidth].</param>
/// <param name="PresentKey">The cache of keys with the new rows.</param>
/// <param name="PresentValue">The cache of values with the new rows.</param>
internal readonly record struct LayerValues(string Output, string Query, string PresentKey, string PresentValue);

/// <summary>Emits the nodes of one decoder layer of the LLaMA family.</summary>
/// <remarks>Every value is named <c>layers.{layer}.…</c>, so the layers of a whole model fit into one graph.</remarks>
internal sealed partial class DecoderLayer(GraphBuilder graph, TextGeometry geometry, int layer, LinearFormat format)
{
    private readonly string _values = $"layers.{layer}";
    private readonly string _module = $"language_model.layers.{layer}";

    /// <summary>The whole layer on the given rows, which are appended to the cache.</summary>
    public LayerValues Dense(string x, string positions, CacheValues cache)
    {
        LayerValues attended = Attend(x, positions, cache);
        (string normed, string residual) = AddAttention(x, attended.Output);
        return attended with { Output = FeedForward(normed, residual) };
    }

    /// <summary>The whole layer on one row of each of several sequences, which is appended to the cache of its own: what all rows are multiplied by is read once.</summary>
    /// <returns>The rows behind the layer, and the values of each sequence, whose outputs are the rows behind attention.</returns>
    public (string Output, LayerValues[] Sequences) Together(string x, string positions, CacheValues[] caches)
    {
        string normed = InputNorm(_values, x);
        string query = Rotate($"{_values}.q", Project($"{_values}.q_proj", normed, "self_attn.q_proj", geometry.Hidden, geometry.QueryWidth, geometry.QueryKeyValueBias), positions, geometry.Heads);
        var (key, value) = KeyValue(_values, normed, positions);
        var sequences = new LayerValues[caches.Length];
        for (int sequence = 0; sequence < caches.Length; sequence++)
        {
            sequences[sequence] = Attention(Row(query, sequence), Row(key, sequence), Row(value, sequence), caches[sequence], $"{_values}.{sequence}");
        }

        string attended = graph.Node(Operator.Concat, $"{_values}.attended", [.. sequences.Select(static values => values.Output)], NodeAttribute.Of("axis", 0));
        (string fed, string residual) = AddAttention(x, attended);
        return (FeedForward(fed, residual), sequences);

        string Row(string rows, int sequence) =>
            graph.Node(Operator.Slice, $"{rows}.{sequence}", [rows, graph.Constant(sequence), graph.Constant(sequence + 1), graph.Constant(0)]);
    }

    /// <summary>The layer up to where <see cref="Dense"/> goes into the feed-forward layer: the rows with what attention adds to them, and the same rows normed. The nodes are the same, so both give the same bits.</summary>
    public (LayerValues Values, string Normed) AttentionAndNorm(string x, string positions, CacheValues cache)
    {
        LayerValues attended = Attend(x, positions, cache);
        (string normed, string residual) = AddAttention(x, attended.Output);
        return (attended with { Output = residual }, normed);
    }

    /// <summary>The rest of the layer behind <see cref="AttentionAndNorm"/>.</summary>
    public string FeedForward(string normed, string residual) => graph.Node(Operator.Add, $"{_values}.y", [residual, Fed(normed)]);

    private string Fed(string normed)
    {
        string gate = Project($"{_values}.gate_proj", normed, "mlp.gate_proj", geometry.Hidden, geometry.Intermediate, bias: false);
        string up = Project($"{_values}.up_proj", normed, "mlp.up_proj", geometry.Hidden, geometry.Intermediate, bias: false);
        string silu = graph.Activate($"{_values}.silu", gate, Activation.Silu);
        string gated = graph.Node(Operator.Mul, $"{_values}.gated", [silu, up]);
        return Project($"{_values}.down_proj", gated, "mlp.down_proj", geometry.Intermediate, geometry.Hidden, bias: false);
    }

    /// <summary>The first half of the layer: the rows with what attention adds to them. They are appended to the cache.</summary>
    public LayerValues AttentionHalf(string x, string positions, CacheValues cache)
    {
        LayerValues attended = Attend(x, positions, cache);
        string projected = Project($"{_values}.o_proj", attended.Output, "self_attn.o_proj", geometry.QueryWidth, geometry.Hidden, bias: false);
        return attended with { Output = graph.Node(Operator.Add, $"{_values}.residual", [x, projected]) };
    }

    /// <summary>The second half of the layer: norm, feed-forward layer and residual.</summary>
    public string FeedForwardHalf(string x) =>
        FeedForward(graph.RmsNorm($"{_values}.post_norm", x, $"{_module}.post_attention_layernorm.weight", geometry), x);

    /// <summary>The scaled products of the layer's queries with every cache row in use, mean over heads, before the softmax: [1, n, key_rows].</summary>
    public string Map(LayerValues values, string keyRows)
    {
        // The mean over heads of their products is the product of the rows as they lie side by side; heads that share a key head are added up before.
        string split = graph.Node(Operator.Reshape, $"{_values}.map.split", [values.Query, graph.Constant(-1, geometry.KeyValueHeads, geometry.Heads / geometry.KeyValueHeads, geometry.HeadDim)]);
        string grouped = graph.Node(Operator.ReduceMean, $"{_values}.map.grouped", [split, graph.Constant(2)], NodeAttribute.Of("keepdims", 0));
        string query = graph.Node(Operator.Reshape, $"{_values}.map.query", [grouped, graph.Constant(1, -1, geometry.KeyValueWidth)]);
        string rows = graph.Node(Operator.Transpose, $"{_values}.map.rows", [Keys(values, keyRows)], NodeAttribute.Of("perm", 0, 2, 1, 3));
        string key = graph.Node(Operator.Reshape, $"{_values}.map.key", [rows, graph.Constant(1, -1, geometry.KeyValueWidth)]);
        return graph.Node(
            Operator.FusedMatMul,
            $"{_values}.map",
            [query, key],
            NodeAttribute.Of("transB", 1),
            NodeAttribute.Of("alpha", 1f / (geometry.KeyValueHeads * MathF.Sqrt(geometry.HeadDim))));
    }

    /// <summary>The softmax of the same products over all cache rows in use, head by head and without a mask, mean over heads: [1, n, key_rows].</summary>
    public string SoftmaxMap(LayerValues values, string keyRows) => graph.Node(
        Operator.ReduceMean,
        $"{_values}.map",
        [Probabilities(HeadProducts(values.Query, values, keyRows, temperature: 1)), graph.Constant(1)],
        NodeAttribute.Of("keepdims", 0));

    private LayerValues Attend(string x, string positions, CacheValues cache)
    {
        string normed = InputNorm(_values, x);
        string query = Rotate($"{_values}.q", Project($"{_values}.q_proj", normed, "self_attn.q_proj", geometry.Hidden, geometry.QueryWidth, geometry.QueryKeyValueBias), positions, geometry.Heads);
        var (key, value) = KeyValue(_values, normed, positions);

        return Attention(query, key, value, cache);
    }

    private LayerValues Attention(string query, string key, string value, CacheValues cache, string? prefix = null)
    {
        prefix ??= _values;
        var (presentKey, presentValue) = ($"{prefix}.present_key", $"{prefix}.present_value");
        graph.Node(
            Operator.GroupQueryAttention,
            $"{prefix}.attention",
            [query, key, value, cache.PastKey, cache.PastValue, cache.LastRow, cache.Total],
            [$"{prefix}.attention", presentKey, presentValue],
            NodeAttribute.Of("num_heads", geometry.Heads),
            NodeAttribute.Of("kv_num_heads", geometry.KeyValueHeads));

        return new LayerValues($"{prefix}.attention", query, presentKey, presentValue);
    }

    /// <summary>Writes the keys and values of visual rows into the cache: the part of the layer that a frozen row still passes (ShortV, arXiv 2504.00502, section 3).</summary>
    /// <returns>The caches with those rows. Each must become a graph output bound to the buffer of its input, else the kernel copies the whole cache.</returns>
    public (string Key, string Value) Scatter(string visual, string positions, string start, string pastKey, string pastValue)
    {
        string prefix = $"{_values}.visual";
        var (key, value) = KeyValue(prefix, InputNorm(prefix, visual), positions);
        return (Write(key, pastKey), Write(value, pastValue));

        string Write(string rows, string past)
        {
            return graph.Node(Operator.TensorScatter, $"{rows}.scattered", [past, Heads(rows), start], NodeAttribute.Of("axis", 2));
        }
    }

    /// <summary>The softmax attention that the last query row pays to every cache row in use, mean over heads (FastV, arXiv 2403.06764).</summary>
    public string Score(LayerValues values, string keyRows)
    {
        string row = LastRow($"{_values}.last_query.row", values.Query);
        return Score(row, Keys(values, keyRows));
    }

    /// <summary>The softmax attention that the last <paramref name="queryRows"/> rows pay to every cache row in use, mean over these rows and the heads (FastV's text, arXiv 2403.06764).</summary>
    public string TextScore(LayerValues values, string keyRows, string queryRows) => Mean(TextAttention(values, keyRows, queryRows, raters: null));

    /// <summary>The softmax attention that some of the last <paramref name="queryRows"/> rows pay to every cache row in use, head by head: [1, heads · r, key_rows] (SparseVLM, arXiv 2410.04417).</summary>
    public string RaterAttention(LayerValues values, string keyRows, string queryRows, string raters)
    {
        string shape = graph.Node(Operator.Concat, $"{_values}.raters.shape", [graph.Constant(1, -1), keyRows], NodeAttribute.Of("axis", 0));
        return graph.Node(Operator.Reshape, $"{_values}.raters.map", [TextAttention(values, keyRows, queryRows, raters), shape]);
    }

    /// <summary>The attention of the text rows, or of some of them: [1, heads, rows, key_rows].</summary>
    private string TextAttention(LayerValues values, string keyRows, string queryRows, string? raters)
    {
        string first = graph.Node(Operator.Neg, $"{_values}.first_query", [queryRows]);
        string text = graph.Node(Operator.Slice, $"{_values}.text_query.rows", [values.Query, first, graph.Constant(long.MaxValue), graph.Constant(1)]);
        string rows = raters is null ? text : graph.Node(Operator.Gather, $"{_values}.text_query.raters", [text, raters], NodeAttribute.Of("axis", 1));
        return Probabilities(MaskedProducts(rows, values, keyRows, queryRows, temperature: 1, raters));
    }

    /// <summary>The sum of the absolute values of every key in use, over all key heads (DART, arXiv 2502.11494): [key_rows].</summary>
    public string KeyNorms(LayerValues values, string keyRows) =>
        graph.Node(Operator.ReduceL1, $"{_values}.key_norms", [Keys(values, keyRows), graph.Constant(0, 1, 3)], NodeAttribute.Of("keepdims", 0));

    /// <summary>What five steps of PageRank over the attention of the rows leave at each of them, root mean square over heads (AIM, arXiv 2412.03248): [n].</summary>
    /// <param name="values">The layer.</param>
    /// <param name="keyRows">The cache rows in use.</param>
    /// <param name="rows">The rows of the run, which are the last of those.</param>
    public string Rank(LayerValues values, string keyRows, string rows) =>
        PageRank.Emit(graph, $"{_values}.rank", MaskedProducts(values.Query, values, keyRows, rows, PageRank.Temperature), geometry.Heads, rows, keyRows);

    /// <summary>The scaled products of the last rows' queries with every cache row in use, head by head, divided by a temperature; minus infinity for those that come later: [1, heads, m, key_rows]. Where the queries are
    /// only some of these rows, <paramref name="chosen"/> says which.</summary>
    private string MaskedProducts(string query, LayerValues values, string keyRows, string queryRows, float temperature, string? chosen = null)
    {
        string products = HeadProducts(query, values, keyRows, temperature);

        // Row i of m may read the keys up to K - m + i: above that diagonal minus infinity, elsewhere zero.
        string size = graph.Node(Operator.Concat, $"{_values}.mask.size", [queryRows, keyRows], NodeAttribute.Of("axis", 0));
        string infinite = graph.Node(Operator.Expand, $"{_values}.mask.infinite", [graph.Scalar(float.NegativeInfinity), size]);
        string last = graph.Node(Operator.Sub, $"{_values}.mask.last", [keyRows, queryRows]);
        string diagonal = graph.Node(Operator.Add, $"{_values}.mask.diagonal", [last, graph.Constant(1)]);
        string causal = graph.Node(Operator.Trilu, $"{_values}.mask", [infinite, diagonal], NodeAttribute.Of("upper", 1));
        string mask = chosen is null ? causal : graph.Node(Operator.Gather, $"{_values}.mask.chosen", [causal, chosen], NodeAttribute.Of("axis", 0));
        return graph.Node(Operator.Add, $"{_values}.scores.masked", [products, mask]);
    }

    /// <summary>The scaled products of some rows' queries with every cache row in use, head by head, divided by a temperature: [1, heads, m, key_rows].</summary>
    private string HeadProducts(string query, LayerValues values, string keyRows, float temperature)
    {
        string split = graph.Node(Operator.Reshape, $"{_values}.queries.split", [query, graph.Constant(1, -1, geometry.Heads, geometry.HeadDim)]);
        string heads = graph.Node(Operator.Transpose, $"{_values}.queries.heads", [split], NodeAttribute.Of("perm", 0, 2, 1, 3));

        // All rows of the heads that share a key head, in one product; then each head's rows on their own again. A 0 in the shape keeps the keys' dimension.
        string shared = graph.Node(Operator.Reshape, $"{_values}.queries", [heads, graph.Constant(1, geometry.KeyValueHeads, -1, geometry.HeadDim)]);
        return graph.Node(Operator.Reshape, $"{_values}.scores.heads", [Products(shared, Keys(values, keyRows), temperature), graph.Constant(1, geometry.Heads, -1, 0)]);
    }

    private string Keys(LayerValues values, string keyRows) =>
        graph.Node(Operator.Slice, $"{_values}.keys", [values.PresentKey, graph.Constant(0), keyRows, graph.Constant(2)]);

    /// <summary>The softmax attention that the last row would pay, mean over heads, to the rows in the cache and to all rows of <paramref name="x"/>, if the layer ran on them (PyramidDrop,
    /// arXiv 2410.17247). Norm, one query and the keys are computed; the rest of the layer is not.</summary>
    public string ScoreAhead(string x, string positions, string pastKey, string keyRows)
    {
        string normed = InputNorm(_values, x);
        string query = Project($"{_values}.q_proj", LastRow($"{_values}.last", normed), "self_attn.q_proj", geometry.Hidden, geometry.QueryWidth, geometry.QueryKeyValueBias);
        string rotated = Rotate($"{_values}.q", query, LastRow($"{_values}.last_position", positions), geometry.Heads);
        string key = Project($"{_values}.k_proj", normed, "self_attn.k_proj", geometry.Hidden, geometry.KeyValueWidth, geometry.QueryKeyValueBias);
        string cached = graph.Node(Operator.Slice, $"{_values}.cached", [pastKey, graph.Constant(0), keyRows, graph.Constant(2)]);
        string own = Heads(Rotate($"{_values}.k", key, positions, geometry.KeyValueHeads));
        return Score(rotated, graph.Node(Operator.Concat, $"{_values}.keys", [cached, own], NodeAttribute.Of("axis", 2)));
    }

    private string LastRow(string result, string rows) => graph.Node(Operator.Gather, result, [rows, graph.Constant(-1)], NodeAttribute.Of("axis", 1));

    /// <summary>[1, n, Hkv · D] to [1, Hkv, n, D], as the cache holds keys and values.</summary>
    private string Heads(string rows)
    {
        string split = graph.Node(Operator.Reshape, $"{rows}.split", [rows, graph.Constant(1, -1, geometry.KeyValueHeads, geometry.HeadDim)]);
        return graph.Node(Operator.Transpose, $"{rows}.heads", [split], NodeAttribute.Of("perm", 0, 2, 1, 3));
    }

    private string Score(string row, string keys)
    {
        // The query's heads are grouped by the key head that they share: one small product per key head.
        string query = graph.Node(Operator.Reshape, $"{_values}.last_query", [row, graph.Constant(1, geometry.KeyValueHeads, geometry.Heads / geometry.KeyValueHeads, geometry.HeadDim)]);
        return Mean(Probabilities(Products(query, keys, temperature: 1)));
    }

    private string Products(string query, string keys, float temperature) => graph.Node(
        Operator.FusedMatMul,
        $"{_values}.scores",
        [query, keys],
        NodeAttribute.Of("transB", 1),
        NodeAttribute.Of("alpha", 1f / (MathF.Sqrt(geometry.HeadDim) * temperature)));

    private string Probabilities(string products) => graph.Node(Operator.Softmax, $"{_values}.probabilities", [products], NodeAttribute.Of("axis", -1));

    private string Mean(string probabilities) => graph.Node(Operator.ReduceMean, $"{_values}.score", [probabilities, graph.Constant(0, 1, 2)], NodeAttribute.Of("keepdims", 0));

    private (string Key, string Value) KeyValue(string prefix, string normed, string positions)
    {
        string key = Project($"{prefix}.k_proj", normed, "self_attn.k_proj", geometry.Hidden, geometry.KeyValueWidth, geometry.QueryKeyValueBias);
        string value = Project($"{prefix}.v", normed, "self_attn.v_proj", geometry.Hidden, geometry.KeyValueWidth, geometry.QueryKeyValueBias);
        return (Rotate($"{prefix}.k", key, positions, geometry.KeyValueHeads), value);
    }

    private (string Normed, string Residual) AddAttention(string x, string attention) =>
        AddProjected(x, Project($"{_values}.o_proj", attention, "self_attn.o_proj", geometry.QueryWidth, geometry.Hidden, bias: false));

    private (string Normed, string Residual) AddProjected(string x, string projected)
    {
        var (normed, residual) = ($"{_values}.post_norm", $"{_values}.residual");
        graph.Node(
            Operator.SkipSimplifiedLayerNormalization,
            normed,
            [x, projected, graph.Weight($"{_module}.post_attention_layernorm.weight", OrtElementType.Float, geometry.Hidden)],
            [normed, "", "", residual],
            NodeAttribute.Of("epsilon", geometry.RmsNormEpsilon));
        return (normed, residual);
    }

    private string InputNorm(string prefix, string x) => graph.RmsNorm($"{prefix}.input_norm", x, $"{_module}.input_layernorm.weight", geometry);

    private string Project(string result, string input, string module, int inputWidth, int outputWidth, bool bias) =>
        format.Linear(graph, result, input, $"{_module}.{module}.weight", bias ? $"{_module}.{module}.bias" : null, inputWidth, outputWidth);

    private string Rotate(string result, string rows, string positions, int heads)
    {
        // Kept rows carry their original positions, so the rotation reads them; the attention operator's own would count rows.
        string cosines = graph.Weight(DerivedWeights.RopeCos, OrtElementType.Float, geometry.MaxPositions, RotaryTables.Width(geometry));
        string sines = graph.Weight(DerivedWeights.RopeSin, OrtElementType.Float, geometry.MaxPositions, RotaryTables.Width(geometry));
        return graph.Node(Operator.RotaryEmbedding, result, [rows, cosines, sines, positions], NodeAttribute.Of("num_heads", heads));
    }
}

/// <summary>Nodes that several graphs of the decoder share.</summary>
internal static class DecoderNodes
{
    /// <summary>Emits <c>x · rsqrt(mean(x²) + epsilon) · weight</c>.</summary>
    public static string RmsNorm(this GraphBuilder graph, string result, string x, string weight, TextGeometry geometry) =>
        graph.Node(
            Operator.SimplifiedLayerNormalization,
            result,
            [x, graph.Weight(weight, OrtElementType.Float, geometry.Hidden)],
            NodeAttribute.Of("axis", -1),
            NodeAttribute.Of("epsilon", geometry.RmsNormEpsilon));
}
