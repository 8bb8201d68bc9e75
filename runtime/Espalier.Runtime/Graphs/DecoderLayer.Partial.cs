using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <content>Layers in which visual rows, the first of <c>x</c>, do less work than the text rows behind them.</content>
internal sealed partial class DecoderLayer
{
    /// <summary>The layer on the given rows, which are appended to the cache.</summary>
    /// <returns>The values, and the caches with the visual rows alone where these attend apart: each must become a graph output bound to the buffer of its input.</returns>
    public (LayerValues Values, string? ScatteredKey, string? ScatteredValue) Partial(string x, string positions, CacheValues cache, PartialWork work, PartialValues inputs)
    {
        if (!work.AttendsApart)
        {
            LayerValues together = Attend(x, positions, cache);
            return (together with { Output = PartialFeedForward(x, Project($"{_values}.o_proj", together.Output, "self_attn.o_proj", geometry.QueryWidth, geometry.Hidden, bias: false), work, inputs) }, null, null);
        }

        string normed = InputNorm(_values, x);
        var (visual, text) = Parts($"{_values}.normed", normed, inputs.Sizes);
        var (visualPositions, textPositions) = Parts($"{_values}.positions", positions, inputs.Sizes);
        var (key, value) = KeyValue(_values, normed, positions);
        var (visualKey, textKey) = Parts($"{_values}.keys_of", key, inputs.Sizes);
        var (visualValue, textValue) = Parts($"{_values}.values_of", value, inputs.Sizes);
        string visualKeys = Heads(visualKey);
        string visualValues = Heads(visualValue);
        string scatteredKey = graph.Node(Operator.TensorScatter, $"{_values}.key.scattered", [cache.PastKey, visualKeys, inputs.VisualStart!], NodeAttribute.Of("axis", 2));
        string scatteredValue = graph.Node(Operator.TensorScatter, $"{_values}.value.scattered", [cache.PastValue, visualValues, inputs.VisualStart!], NodeAttribute.Of("axis", 2));

        string query = Rotate($"{_values}.q", Project($"{_values}.q_proj", text, "self_attn.q_proj", geometry.Hidden, geometry.QueryWidth, geometry.QueryKeyValueBias), textPositions, geometry.Heads);
        LayerValues attended = Attention(query, textKey, textValue, cache with { PastKey = scatteredKey, PastValue = scatteredValue });
        string projectedText = Project($"{_values}.o_proj", attended.Output, "self_attn.o_proj", geometry.QueryWidth, geometry.Hidden, bias: false);

        string projected;
        if (work.DroppedHeads.Count == geometry.Heads)
        {
            // Without heads the attention adds nothing to visual rows.
            string none = graph.Node(Operator.Sub, $"{_values}.visual.nothing", [visual, visual]);
            projected = graph.Node(Operator.Concat, $"{_values}.attended", [none, projectedText], NodeAttribute.Of("axis", 1));
        }
        else
        {
            string of = ProjectVisual(BlockAttention(VisualQuery(visual, visualPositions, work), visualKeys, visualValues, cache, work, inputs), work);
            projected = graph.Node(Operator.Concat, $"{_values}.attended", [of, projectedText], NodeAttribute.Of("axis", 1));
        }

        return (attended with { Output = PartialFeedForward(x, projected, work, inputs) }, scatteredKey, scatteredValue);
    }

    /// <summary>Norm, feed-forward layer and residual: text rows with all neurons, visual rows with some.</summary>
    private string PartialFeedForward(string x, string projected, PartialWork work, PartialValues inputs)
    {
        var (normed, residual) = AddProjected(x, projected);
        if (work.Choice == NeuronChoice.All)
        {
            return FeedForward(normed, residual);
        }

        var (visual, text) = Parts($"{_values}.post_normed", normed, inputs.Sizes);
        string narrow = work.Choice == NeuronChoice.First ? FirstNeurons(visual, work.Neurons) : ProbedNeurons(visual, work.Neurons, inputs.Probes!);
        string fed = graph.Node(Operator.Concat, $"{_values}.fed", [narrow, Fed(text)], NodeAttribute.Of("axis", 1));
        return graph.Node(Operator.Add, $"{_values}.y", [residual, fed]);
    }

    /// <summary>The feed-forward layer with its first neurons alone (YOPO, arXiv 2410.06169): the first rows of two weights and the first columns of the third.</summary>
    private string FirstNeurons(string visual, int neurons)
    {
        string gate = graph.Weight(WeightSlice.First($"{_module}.mlp.gate_proj.weight", [geometry.Intermediate, geometry.Hidden], ofColumns: false, neurons));
        string up = graph.Weight(WeightSlice.First($"{_module}.mlp.up_proj.weight", [geometry.Intermediate, geometry.Hidden], ofColumns: false, neurons));
        string down = graph.Weight(WeightSlice.First($"{_module}.mlp.down_proj.weight", [geometry.Hidden, geometry.Intermediate], ofColumns: true, neurons));
        return Product($"{_values}.visual.down", Activated($"{_values}.visual", visual, gate, up), down);
    }

    /// <summary>The feed-forward layer with the neurons that the probes activate most, on average, by magnitude (RedundancyLens, arXiv 2501.19036). Ties go to the lower neuron.</summary>
    private string ProbedNeurons(string visual, int neurons, string probes)
    {
        string gate = graph.Weight($"{_module}.mlp.gate_proj.weight", OrtElementType.Float, geometry.Intermediate, geometry.Hidden);
        string up = graph.Weight($"{_module}.mlp.up_proj.weight", OrtElementType.Float, geometry.Intermediate, geometry.Hidden);
        string down = graph.Weight($"{_module}.mlp.down_proj.weight", OrtElementType.Float, geometry.Hidden, geometry.Intermediate);
        string probed = graph.Node(Operator.Gather, $"{_values}.probed", [visual, probes], NodeAttribute.Of("axis", 1));
        string magnitude = graph.Node(Operator.Abs, $"{_values}.probed.magnitude", [Activated($"{_values}.probed", probed, gate, up)]);
        string mean = graph.Node(Operator.ReduceMean, $"{_values}.probed.mean", [magnitude, graph.Constant(0, 1)], NodeAttribute.Of("keepdims", 0));
        string chosen = $"{_values}.neurons";
        graph.Node(Operator.TopK, chosen, [mean, graph.Constant(neurons)], [$"{_values}.probed.highest", chosen]);
        string gateRows = graph.Node(Operator.Gather, $"{_values}.gate.rows", [gate, chosen], NodeAttribute.Of("axis", 0));
        string upRows = graph.Node(Operator.Gather, $"{_values}.up.rows", [up, chosen], NodeAttribute.Of("axis", 0));
        string downColumns = graph.Node(Operator.Gather, $"{_values}.down.columns", [down, chosen], NodeAttribute.Of("axis", 1));
        return Product($"{_values}.visual.down", Activated($"{_values}.visual", visual, gateRows, upRows), downColumns);
    }

    private string Activated(string prefix, string rows, string gate, string up)
    {
        string silu = graph.Activate($"{prefix}.silu", Product($"{prefix}.gate", rows, gate), Activation.Silu);
        return graph.Node(Operator.Mul, $"{prefix}.gated", [silu, Product($"{prefix}.up", rows, up)]);
    }

    private string VisualQuery(string visual, string positions, PartialWork work)
    {
        string result = $"{_values}.visual.q_proj";
        if (work.DroppedHeads.Count == 0)
        {
            return Rotate($"{_values}.visual.q", Project(result, visual, "self_attn.q_proj", geometry.Hidden, geometry.QueryWidth, geometry.QueryKeyValueBias), positions, geometry.Heads);
        }

        int[] kept = VisualHeads.Kept(geometry, work);
        string weight = graph.Weight(WeightSlice.OfHeads($"{_module}.self_attn.q_proj.weight", [geometry.QueryWidth, geometry.Hidden], ofColumns: false, kept, geometry.HeadDim));
        string product = Product(result, visual, weight);
        if (geometry.QueryKeyValueBias)
        {
            string bias = graph.Weight(WeightSlice.OfHeads($"{_module}.self_attn.q_proj.bias", [geometry.QueryWidth], ofColumns: false, kept, geometry.HeadDim));
            product = graph.Node(Operator.Add, $"{result}.biased", [product, bias]);
        }

        return Rotate($"{_values}.visual.q", product, positions, kept.Length);
    }

    private string ProjectVisual(string attended, PartialWork work) => work.DroppedHeads.Count == 0
        ? Project($"{_values}.visual.o_proj", attended, "self_attn.o_proj", geometry.QueryWidth, geometry.Hidden, bias: false)
        : Product($"{_values}.visual.o_proj", attended, graph.Weight(
            WeightSlice.OfHeads($"{_module}.self_attn.o_proj.weight", [geometry.Hidden, geometry.QueryWidth], ofColumns: true, VisualHeads.Kept(geometry, work), geometry.HeadDim)));

    /// <summary>Attention of visual rows to the text before the image and to the visual rows in reach, block by block: only what a block reaches is multiplied.</summary>
    private string BlockAttention(string query, string keys, string values, CacheValues cache, PartialWork work, PartialValues inputs)
    {
        int group = VisualHeads.Group(geometry, work);
        int heads = VisualHeads.Kept(geometry, work).Length / group;
        string prefixKeys = Prefix("key", cache.PastKey);
        string prefixValues = Prefix("value", cache.PastValue);
        if (VisualHeads.KeyHeads(geometry, work) is { } keyHeads)
        {
            // Groups of query heads that differ in size cannot be one product: each query head gets the key head that it reads.
            string of = graph.Constant(keyHeads);
            (keys, values) = (OfHeads(keys, of), OfHeads(values, of));
            (prefixKeys, prefixValues) = (OfHeads(prefixKeys, of), OfHeads(prefixValues, of));
        }

        // [1, v, heads · group · D] to [1, heads, blocks, group · rows, D].
        string rows = graph.Node(Operator.Gather, $"{_values}.block.rows", [query, inputs.BlockRows!], NodeAttribute.Of("axis", 1));
        string split = graph.Node(Operator.Reshape, $"{_values}.block.split", [rows, graph.Constant(0, 0, 0, heads, group, geometry.HeadDim)]);
        string byHead = graph.Node(Operator.Transpose, $"{_values}.block.heads", [split], NodeAttribute.Of("perm", 0, 3, 1, 4, 2, 5));
        string blocks = graph.Node(Operator.Reshape, $"{_values}.block.query", [byHead, graph.Constant(0, 0, 0, -1, geometry.HeadDim)]);
        string near = graph.Node(Operator.Gather, $"{_values}.block.keys", [keys, inputs.BlockKeys!], NodeAttribute.Of("axis", 2));
        string nearValues = graph.Node(Operator.Gather, $"{_values}.block.values", [values, inputs.BlockKeys!], NodeAttribute.Of("axis", 2));

        string before = Scaled($"{_values}.block.before", blocks, prefixKeys);
        string among = graph.Node(Operator.Add, $"{_values}.block.among", [Scaled($"{_values}.block.products", blocks, near), inputs.BlockMask!]);
        string all = graph.Node(Operator.Concat, $"{_values}.block.scores", [before, among], NodeAttribute.Of("axis", -1));
        string shares = graph.Node(Operator.Softmax, $"{_values}.block.shares", [all], NodeAttribute.Of("axis", -1));
        var (ofPrefix, ofNear) = ($"{_values}.block.shares.before", $"{_values}.block.shares.among");
        graph.Node(Operator.Split, ofPrefix, [shares, inputs.BlockSizes!], [ofPrefix, ofNear], NodeAttribute.Of("axis", -1));
        string fromPrefix = graph.Node(Operator.FusedMatMul, $"{_values}.block.from_before", [ofPrefix, prefixValues]);
        string fromNear = graph.Node(Operator.FusedMatMul, $"{_values}.block.from_among", [ofNear, nearValues]);
        string sum = graph.Node(Operator.Add, $"{_values}.block.attention", [fromPrefix, fromNear]);

        // And back; what fills up the last block falls off.
        string apart = graph.Node(Operator.Reshape, $"{_values}.block.apart", [sum, graph.Constant(0, 0, 0, group, -1, geometry.HeadDim)]);
        string byRow = graph.Node(Operator.Transpose, $"{_values}.block.by_row", [apart], NodeAttribute.Of("perm", 0, 2, 4, 1, 3, 5));
        string flat = graph.Node(Operator.Reshape, $"{_values}.block.flat", [byRow, graph.Constant(1, -1, heads * group * geometry.HeadDim)]);
        string count = graph.Node(Operator.Shape, $"{_values}.block.count", [query], NodeAttribute.Of("start", 1), NodeAttribute.Of("end", 2));
        return graph.Node(Operator.Slice, $"{_values}.block.visual", [flat, graph.Constant(0), count, graph.Constant(1)]);

        // [1, heads, cap, D] to [1, heads, 1, prefix rows, D].
        string Prefix(string which, string past)
        {
            string cached = graph.Node(Operator.Slice, $"{_values}.prefix.{which}", [past, graph.Constant(0), inputs.VisualStart!, graph.Constant(2)]);
            return graph.Node(Operator.Reshape, $"{_values}.prefix.{which}s", [cached, graph.Constant(1, geometry.KeyValueHeads, 1, -1, geometry.HeadDim)]);
        }

        string OfHeads(string of, string which) => graph.Node(Operator.Gather, $"{of}.of_heads", [of, which], NodeAttribute.Of("axis", 1));

        string Scaled(string result, string left, string right) => graph.Node(
            Operator.FusedMatMul, result, [left, right], NodeAttribute.Of("transB", 1), NodeAttribute.Of("alpha", 1f / MathF.Sqrt(geometry.HeadDim)));
    }

    private string Product(string result, string rows, string weight) => graph.Node(Operator.FusedMatMul, result, [rows, weight], NodeAttribute.Of("transB", 1));

    /// <summary>The visual rows and the text rows behind them.</summary>
    private (string Visual, string Text) Parts(string prefix, string rows, string sizes)
    {
        var (visual, text) = ($"{prefix}.visual", $"{prefix}.text");
        graph.Node(Operator.Split, $"{prefix}.parts", [rows, sizes], [visual, text], NodeAttribute.Of("axis", 1));
        return (visual, text);
    }
}
