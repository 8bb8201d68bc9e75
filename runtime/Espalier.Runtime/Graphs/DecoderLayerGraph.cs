using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the graph of one decoder layer.</summary>
/// <remarks>
/// The dense kind runs n rows of one sequence, or in a batch one row of each of b sequences; the other kinds run one sequence.
/// Inputs of every kind: <c>x</c>, <c>positions</c>, <c>past_key</c>, <c>past_value</c>, <c>seqlens_k</c>, <c>total</c>; outputs: <c>y</c>, <c>present_key</c>, <c>present_value</c>.
/// Scored kinds add the input <c>key_rows</c> and the output <c>score</c>, text-scored kinds and the page-ranked one also the input <c>query_rows</c>. Rater-scored kinds have the output <c>map</c> in
/// place of <c>score</c>, and the inputs <c>query_rows</c> and <c>raters</c>.
/// The halved kinds end behind the attention: <c>y</c> are the rows with what it adds, and they add the input <c>key_rows</c> and the output <c>map</c>.
/// Frozen kinds add the inputs <c>visual</c>, <c>visual_positions</c>, <c>visual_start</c> and the outputs <c>scattered_key</c>, <c>scattered_value</c>; their <c>x</c> holds the rows behind those, the text rows or the last row alone, whose cache rows follow.
/// Partial kinds add the input <c>sizes</c>; <c>probes</c> where neurons are probed; and where visual rows attend apart <c>visual_start</c>, <c>block_rows</c>, <c>block_keys</c>, <c>block_mask</c>, <c>block_sizes</c> and the outputs <c>scattered_key</c>, <c>scattered_value</c>.
/// Shapes: <see cref="GraphNames"/>.
/// </remarks>
internal static class DecoderLayerGraph
{
    /// <summary>Builds the graph of layer <paramref name="layer"/>, zero-based.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The decoder has no such layer.</exception>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    public static GraphModel Build(TextGeometry geometry, int layer, LayerKind kind, LinearFormat format, PartialWork? partial = null)
    {
        if (kind.IsPartial() != (partial is not null))
        {
            throw new ArgumentException($"Kind {kind} of layer {layer} {(partial is null ? "needs to be told" : "has nothing to do with")} what visual rows still do.", nameof(partial));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, geometry.Layers);
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);

        var graph = new GraphBuilder($"layers.{layer}.{kind}");
        var emitter = new DecoderLayer(graph, geometry, layer, format);

        // One row of each of several sequences is what decoding may give to a whole layer; several rows come from one sequence alone.
        Dimension sequences = kind == LayerKind.Dense ? "b" : 1;
        string x = graph.Input(GraphNames.X, OrtElementType.Float, sequences, "n", geometry.Hidden);
        string positions = graph.Input(GraphNames.Positions, OrtElementType.Int64, sequences, "n");
        string pastKey = CacheInput(graph, geometry, GraphNames.PastKey, sequences);
        string pastValue = CacheInput(graph, geometry, GraphNames.PastValue, sequences);
        string lastRow = graph.Input(GraphNames.LastRow, OrtElementType.Int32, sequences);
        string total = graph.Input(GraphNames.Total, OrtElementType.Int32, 1);

        if (kind.IsFrozen())
        {
            string visual = graph.Input(GraphNames.Visual, OrtElementType.Float, 1, "v", geometry.Hidden);
            string visualPositions = graph.Input(GraphNames.VisualPositions, OrtElementType.Int64, 1, "v");
            string start = graph.Input(GraphNames.VisualStart, OrtElementType.Int64, 1);
            (pastKey, pastValue) = emitter.Scatter(visual, visualPositions, start, pastKey, pastValue);
            CacheOutput(graph, geometry, GraphNames.ScatteredKey, pastKey, sequences);
            CacheOutput(graph, geometry, GraphNames.ScatteredValue, pastValue, sequences);
        }

        var cache = new CacheValues(pastKey, pastValue, lastRow, total);
        LayerValues values;
        if (partial is not null)
        {
            (values, string? scatteredKey, string? scatteredValue) = emitter.Partial(x, positions, cache, partial, PartialInputs(graph, geometry, partial));
            if (scatteredKey is not null && scatteredValue is not null)
            {
                CacheOutput(graph, geometry, GraphNames.ScatteredKey, scatteredKey, sequences);
                CacheOutput(graph, geometry, GraphNames.ScatteredValue, scatteredValue, sequences);
            }
        }
        else
        {
            values = kind.IsHalved() ? emitter.AttentionHalf(x, positions, cache) : emitter.Dense(x, positions, cache);
        }

        graph.Output(GraphNames.Y, values.Output, OrtElementType.Float, sequences, "n", geometry.Hidden);
        CacheOutput(graph, geometry, GraphNames.PresentKey, values.PresentKey, sequences);
        CacheOutput(graph, geometry, GraphNames.PresentValue, values.PresentValue, sequences);

        if (kind.IsRaterScored())
        {
            string keyRows = graph.Input(GraphNames.KeyRows, OrtElementType.Int64, 1);
            string queryRows = graph.Input(GraphNames.QueryRows, OrtElementType.Int64, 1);
            string raters = graph.Input(GraphNames.Raters, OrtElementType.Int64, "r");
            graph.Output(GraphNames.Map, emitter.RaterAttention(values, keyRows, queryRows, raters), OrtElementType.Float, 1, "rows", "key_rows");
        }
        else if (kind.IsScored())
        {
            string keyRows = graph.Input(GraphNames.KeyRows, OrtElementType.Int64, 1);
            string score = kind.IsKeyNormed() ? emitter.KeyNorms(values, keyRows)
                : kind == LayerKind.PageRanked ? emitter.Rank(values, keyRows, graph.Input(GraphNames.QueryRows, OrtElementType.Int64, 1))
                : kind.IsTextScored() ? emitter.TextScore(values, keyRows, graph.Input(GraphNames.QueryRows, OrtElementType.Int64, 1))
                : emitter.Score(values, keyRows);
            graph.Output(GraphNames.Score, score, OrtElementType.Float, kind == LayerKind.PageRanked ? "n" : "key_rows");
        }

        if (kind.IsHalved())
        {
            string keyRows = graph.Input(GraphNames.KeyRows, OrtElementType.Int64, 1);
            graph.Output(GraphNames.Map, kind == LayerKind.HalvedSoftmax ? emitter.SoftmaxMap(values, keyRows) : emitter.Map(values, keyRows), OrtElementType.Float, 1, "n", "key_rows");
        }

        return graph.Build();
    }

    /// <summary>Builds the second half of layer <paramref name="layer"/>, zero-based: <c>x</c> → <c>y</c>. The first half is its kind <see cref="LayerKind.Halved"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The decoder has no such layer.</exception>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    public static GraphModel BuildFeedForward(TextGeometry geometry, int layer, LinearFormat format)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, geometry.Layers);
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);

        var graph = new GraphBuilder($"layers.{layer}.feed_forward");
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", geometry.Hidden);
        graph.Output(GraphNames.Y, new DecoderLayer(graph, geometry, layer, format).FeedForwardHalf(x), OrtElementType.Float, 1, "n", geometry.Hidden);
        return graph.Build();
    }

    private static PartialValues PartialInputs(GraphBuilder graph, TextGeometry geometry, PartialWork work)
    {
        bool blocks = work.AttendsApart && work.DroppedHeads.Count < geometry.Heads;
        return new PartialValues(
            graph.Input(GraphNames.Sizes, OrtElementType.Int64, 2),
            work.AttendsApart ? graph.Input(GraphNames.VisualStart, OrtElementType.Int64, 1) : null,
            blocks ? graph.Input(GraphNames.BlockRows, OrtElementType.Int64, "blocks", "block") : null,
            blocks ? graph.Input(GraphNames.BlockKeys, OrtElementType.Int64, "blocks", "reach") : null,
            blocks ? graph.Input(GraphNames.BlockMask, OrtElementType.Float, "blocks", "queries", "reach") : null,
            blocks ? graph.Input(GraphNames.BlockSizes, OrtElementType.Int64, 2) : null,
            work.Choice == NeuronChoice.Probed ? graph.Input(GraphNames.Probes, OrtElementType.Int64, "probes") : null);
    }

    internal static string CacheInput(GraphBuilder graph, TextGeometry geometry, string name, Dimension sequences) =>
        graph.Input(name, OrtElementType.Float, sequences, geometry.KeyValueHeads, "cap", geometry.HeadDim);

    internal static void CacheOutput(GraphBuilder graph, TextGeometry geometry, string name, string value, Dimension sequences) =>
        graph.Output(name, value, OrtElementType.Float, sequences, geometry.KeyValueHeads, "cap", geometry.HeadDim);
}
