using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the small graphs that move rows between layers.</summary>
internal static class RowGraphs
{
    /// <summary>Keeps some rows: <c>x</c> [1, n, H], <c>rows</c> i64 [m] → <c>y</c> [1, m, H], in the order of <c>rows</c>.</summary>
    public static GraphModel Gather(int width)
    {
        var graph = new GraphBuilder("rows.gather");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", width);
        string rows = graph.Input(GraphNames.Rows, OrtElementType.Int64, "m");
        string kept = graph.Node(Operator.Gather, "kept", [x, rows], NodeAttribute.Of("axis", 1));
        graph.Output(GraphNames.Y, kept, OrtElementType.Float, 1, "m", width);
        return graph.Build();
    }

    /// <summary>Moves the rows of a cache that stay to its beginning: <c>past_key</c>, <c>past_value</c> [1, Hkv, cap, D], <c>rows</c> i64 [m], <c>kept</c> i64 [1], which is m → <c>present_key</c>,
    /// <c>present_value</c>, bound to the same buffers. What is behind them stays where it was; nobody reads it.</summary>
    /// <remarks>Both pieces are copies before they are put together, so the buffer that is written is read no more.</remarks>
    public static GraphModel KeepCached(TextGeometry geometry)
    {
        var graph = new GraphBuilder("rows.keep_cached");
        string keys = DecoderLayerGraph.CacheInput(graph, geometry, GraphNames.PastKey, 1);
        string values = DecoderLayerGraph.CacheInput(graph, geometry, GraphNames.PastValue, 1);
        string rows = graph.Input(GraphNames.Rows, OrtElementType.Int64, "m");
        string count = graph.Input(GraphNames.Kept, OrtElementType.Int64, 1);
        DecoderLayerGraph.CacheOutput(graph, geometry, GraphNames.PresentKey, Keep("keys", keys), 1);
        DecoderLayerGraph.CacheOutput(graph, geometry, GraphNames.PresentValue, Keep("values", values), 1);
        return graph.Build();

        string Keep(string name, string cache)
        {
            string kept = graph.Node(Operator.Gather, $"{name}.kept", [cache, rows], NodeAttribute.Of("axis", 2));
            string behind = graph.Node(Operator.Slice, $"{name}.behind", [cache, count, graph.Constant(long.MaxValue), graph.Constant(2)]);
            return graph.Node(Operator.Concat, name, [kept, behind], NodeAttribute.Of("axis", 2));
        }
    }

    /// <summary>Takes the rows of a prefix out of a cache: <c>past_key</c>, <c>past_value</c> [1, Hkv, cap, D], <c>kept</c> i64 [1], which is p → <c>prefix_key</c>, <c>prefix_value</c> [1, Hkv, p, D].</summary>
    public static GraphModel TakePrefix(TextGeometry geometry)
    {
        var graph = new GraphBuilder("rows.take_prefix");
        string keys = DecoderLayerGraph.CacheInput(graph, geometry, GraphNames.PastKey, 1);
        string values = DecoderLayerGraph.CacheInput(graph, geometry, GraphNames.PastValue, 1);
        string count = graph.Input(GraphNames.Kept, OrtElementType.Int64, 1);
        Take(GraphNames.PrefixKey, "keys", keys);
        Take(GraphNames.PrefixValue, "values", values);
        return graph.Build();

        void Take(string output, string name, string cache) =>
            graph.Output(output, graph.Node(Operator.Slice, name, [cache, graph.Constant(0), count, graph.Constant(2)]), OrtElementType.Float, 1, geometry.KeyValueHeads, "p", geometry.HeadDim);
    }

    /// <summary>Puts the rows of a prefix to the beginning of a cache: <c>prefix_key</c>, <c>prefix_value</c> [1, Hkv, p, D], <c>past_key</c>, <c>past_value</c> [1, Hkv, cap, D], <c>kept</c> i64 [1], which is p →
    /// <c>present_key</c>, <c>present_value</c>, bound to the buffers of the cache. What is behind them stays where it was.</summary>
    /// <remarks>What stays is copied before all is put together, so the buffer that is written is read no more.</remarks>
    public static GraphModel PutPrefix(TextGeometry geometry)
    {
        var graph = new GraphBuilder("rows.put_prefix");
        string keys = DecoderLayerGraph.CacheInput(graph, geometry, GraphNames.PastKey, 1);
        string values = DecoderLayerGraph.CacheInput(graph, geometry, GraphNames.PastValue, 1);
        string count = graph.Input(GraphNames.Kept, OrtElementType.Int64, 1);
        DecoderLayerGraph.CacheOutput(graph, geometry, GraphNames.PresentKey, Put(GraphNames.PrefixKey, "keys", keys), 1);
        DecoderLayerGraph.CacheOutput(graph, geometry, GraphNames.PresentValue, Put(GraphNames.PrefixValue, "values", values), 1);
        return graph.Build();

        string Put(string input, string name, string cache)
        {
            string prefix = graph.Input(input, OrtElementType.Float, 1, geometry.KeyValueHeads, "p", geometry.HeadDim);
            string behind = graph.Node(Operator.Slice, $"{name}.behind", [cache, count, graph.Constant(long.MaxValue), graph.Constant(2)]);
            return graph.Node(Operator.Concat, name, [prefix, behind], NodeAttribute.Of("axis", 2));
        }
    }

    /// <summary>Mixes rows: <c>weights</c> [1, m, n], <c>x</c> [1, n, H] → <c>y</c> = <c>weights · x</c> [1, m, H].</summary>
    public static GraphModel Merge(int width)
    {
        var graph = new GraphBuilder("rows.merge");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", width);
        string weights = graph.Input(GraphNames.Weights, OrtElementType.Float, 1, "m", "n");
        string merged = graph.Node(Operator.FusedMatMul, "merged", [weights, x]);
        graph.Output(GraphNames.Y, merged, OrtElementType.Float, 1, "m", width);
        return graph.Build();
    }

    /// <summary>Lets rows take others in: <c>x</c> [1, n, H], <c>rows</c> i64 [m], <c>own</c> [1, m, 1], <c>absorbed</c> i64 [r], <c>shares</c> [1, m, r] → <c>y</c> = <c>own</c> times the m rows plus
    /// <c>shares</c> · the r rows, [1, m, H]. See <see cref="RowMerge"/>.</summary>
    public static GraphModel Absorb(int width)
    {
        var graph = new GraphBuilder("rows.absorb");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", width);
        string rows = graph.Input(GraphNames.Rows, OrtElementType.Int64, "m");
        string own = graph.Input(GraphNames.Own, OrtElementType.Float, 1, "m", 1);
        string absorbed = graph.Input(GraphNames.Absorbed, OrtElementType.Int64, "r");
        string shares = graph.Input(GraphNames.Shares, OrtElementType.Float, 1, "m", "r");
        string kept = graph.Node(Operator.Gather, "kept", [x, rows], NodeAttribute.Of("axis", 1));
        string scaled = graph.Node(Operator.Mul, "scaled", [kept, own]);
        string taken = graph.Node(Operator.Gather, "taken", [x, absorbed], NodeAttribute.Of("axis", 1));
        string mixed = graph.Node(Operator.FusedMatMul, "mixed", [shares, taken]);
        graph.Output(GraphNames.Y, graph.Node(Operator.Add, "merged", [scaled, mixed]), OrtElementType.Float, 1, "m", width);
        return graph.Build();
    }

    /// <summary>The model's final norm: <c>x</c> [1, n, H] → <c>y</c> [1, n, H].</summary>
    public static GraphModel FinalNorm(TextGeometry geometry)
    {
        var graph = new GraphBuilder("rows.norm");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", geometry.Hidden);
        graph.Output(GraphNames.Y, graph.RmsNorm("normed", x, "language_model.norm.weight", geometry), OrtElementType.Float, 1, "n", geometry.Hidden);
        return graph.Build();
    }

    /// <summary>Parts the visual rows from the text rows behind them: <c>x</c> [1, n, H], <c>sizes</c> i64 [2] → <c>visual</c>, <c>text</c>.</summary>
    public static GraphModel Part(TextGeometry geometry)
    {
        var graph = new GraphBuilder("rows.part");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", geometry.Hidden);
        string sizes = graph.Input(GraphNames.Sizes, OrtElementType.Int64, 2);
        graph.Node(Operator.Split, "part", [x, sizes], ["first", "second"], NodeAttribute.Of("axis", 1));
        graph.Output(GraphNames.Visual, "first", OrtElementType.Float, 1, "v", geometry.Hidden);
        graph.Output(GraphNames.Text, "second", OrtElementType.Float, 1, "s", geometry.Hidden);
        return graph.Build();
    }

    /// <summary>Puts the text rows behind the visual rows: <c>visual</c> [1, v, H], <c>text</c> [1, s, H] → <c>y</c> [1, v + s, H].</summary>
    public static GraphModel Join(TextGeometry geometry)
    {
        var graph = new GraphBuilder("rows.join");
        string visual = graph.Input(GraphNames.Visual, OrtElementType.Float, 1, "v", geometry.Hidden);
        string text = graph.Input(GraphNames.Text, OrtElementType.Float, 1, "s", geometry.Hidden);
        string joined = graph.Node(Operator.Concat, "joined", [visual, text], NodeAttribute.Of("axis", 1));
        graph.Output(GraphNames.Y, joined, OrtElementType.Float, 1, "n", geometry.Hidden);
        return graph.Build();
    }
}
