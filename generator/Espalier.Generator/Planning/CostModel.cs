using System;

namespace Espalier.Planning;

/// <summary>Floating point operations and cache bytes by the closed formulas of the literature, extended to grouped key and value heads.</summary>
/// <remarks>Scoring and selecting are not counted: a score is one query row, and papers leave it out. Stateless, thread-safe.</remarks>
public static class CostModel
{
    /// <summary>Text tokens assumed wherever a cost is printed without a request at hand: the 64 of ShortV's tables.</summary>
    public const int AssumedTextTokens = 64;

    /// <summary>Operations of one decoder layer in prefill.</summary>
    /// <param name="text">The decoder.</param>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="mode">How the layer treats visual rows.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    /// <param name="visualTokens">Visual rows in this layer.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    /// <exception cref="ArgumentException">The mode is <see cref="LayerMode.Partial"/>, whose cost depends on what visual rows still do.</exception>
    public static double LayerFlops(TextGeometry text, FlopsConvention convention, LayerMode mode, int textTokens, int visualTokens)
    {
        _ = text ?? throw new ArgumentNullException(nameof(text));
        CheckCount(textTokens, nameof(textTokens));
        CheckCount(visualTokens, nameof(visualTokens));

        if (mode == LayerMode.Partial)
        {
            throw new ArgumentException("The cost of a partial layer depends on what visual rows still do: ask for PartialLayerFlops.", nameof(mode));
        }

        // Rows that are updated, and rows that attention reads: they differ in a frozen layer only.
        double read = (double)textTokens + visualTokens;
        double updated = mode == LayerMode.Frozen ? textTokens : read;
        return LayerFlops(text, convention, updated, projected: read, read);
    }

    /// <summary>Operations of one decoder layer in a decode step: one row is computed, and attention reads it and the rows of the cache.</summary>
    /// <param name="text">The decoder.</param>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="rowsRead">Rows that attention reads, the new one among them.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static double DecodeLayerFlops(TextGeometry text, FlopsConvention convention, int rowsRead)
    {
        _ = text ?? throw new ArgumentNullException(nameof(text));
        CheckCount(rowsRead, nameof(rowsRead));
        return LayerFlops(text, convention, updated: 1, projected: 1, rowsRead);
    }

    /// <summary>Operations of a layer that computes some rows, projects keys and values of some, and reads some.</summary>
    private static double LayerFlops(TextGeometry text, FlopsConvention convention, double updated, double projected, double read)
    {
        double hidden = text.Hidden;
        double queries = text.QueryWidth;
        double keysAndValues = 2.0 * text.KeyValueWidth;

        double projections = (updated * hidden * 2.0 * queries) + (projected * hidden * keysAndValues);
        double attention = 2.0 * updated * read * queries;
        double matrices = convention == FlopsConvention.A ? 2.0 : 3.0;
        double feedForward = matrices * updated * hidden * text.Intermediate;
        double multiplyAccumulates = projections + attention + feedForward;
        if (convention is FlopsConvention.A or FlopsConvention.B)
        {
            return multiplyAccumulates;
        }

        double flops = 2.0 * multiplyAccumulates;
        if (convention == FlopsConvention.C)
        {
            return flops;
        }

        // A frozen row passes the first norm, which its keys and values need, and nothing else.
        double softmax = 5.0 * text.Heads * updated * read;
        double norms = 7.0 * hidden * (projected + updated);
        double residualsAndActivation = 4.0 * hidden * updated;
        return flops + softmax + norms + residualsAndActivation;
    }

    /// <summary>Operations of one decoder layer in prefill in which visual rows do less work.</summary>
    /// <remarks>What is multiplied is counted: visual rows are multiplied with all keys that their block of rows reaches, and neurons are found by computing all of them for the rows that are probed.</remarks>
    /// <param name="model">The model.</param>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="work">What visual rows still do.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    /// <param name="visualTokens">Visual rows in this layer.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static double PartialLayerFlops(ModelGeometry model, FlopsConvention convention, PartialWork work, int textTokens, int visualTokens)
    {
        _ = model ?? throw new ArgumentNullException(nameof(model));
        _ = work ?? throw new ArgumentNullException(nameof(work));
        CheckCount(textTokens, nameof(textTokens));
        CheckCount(visualTokens, nameof(visualTokens));
        TextGeometry text = model.Text;
        double hidden = text.Hidden;
        double rows = (double)textTokens + visualTokens;
        double visualHeads = text.Heads - work.DroppedHeads.Count;
        double visualQueries = visualHeads * text.HeadDim;
        double visualKeys = (double)textTokens + work.KeysRead(visualTokens, model.Vision.GridSize);

        double projections = hidden * ((2.0 * ((textTokens * (double)text.QueryWidth) + (visualTokens * visualQueries))) + (2.0 * rows * text.KeyValueWidth));
        double attention = 2.0 * ((textTokens * rows * text.QueryWidth) + (visualTokens * visualKeys * visualQueries));
        double matrices = convention == FlopsConvention.A ? 2.0 : 3.0;
        double neurons = work.Choice == NeuronChoice.All ? text.Intermediate : work.Neurons;
        double feedForward = hidden * ((matrices * ((textTokens * (double)text.Intermediate) + (visualTokens * neurons))) + ((matrices - 1.0) * work.Probes(visualTokens) * text.Intermediate));
        double multiplyAccumulates = projections + attention + feedForward;
        if (convention is FlopsConvention.A or FlopsConvention.B)
        {
            return multiplyAccumulates;
        }

        double flops = 2.0 * multiplyAccumulates;
        return convention == FlopsConvention.C
            ? flops
            : flops + (5.0 * ((text.Heads * textTokens * rows) + (visualHeads * visualTokens * visualKeys))) + (18.0 * hidden * rows);
    }

    /// <summary>Operations of one layer of the vision tower. Its feed-forward layer has two matrices, in every convention.</summary>
    /// <param name="vision">The tower.</param>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="rows">Rows that the attention reads and updates, CLS included.</param>
    /// <param name="rowsLeft">Rows that the feed-forward layer updates: fewer, if tokens leave between the two.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static double TowerLayerFlops(VisionGeometry vision, FlopsConvention convention, int rows, int rowsLeft)
    {
        _ = vision ?? throw new ArgumentNullException(nameof(vision));
        CheckCount(rows, nameof(rows));
        CheckCount(rowsLeft, nameof(rowsLeft));
        double hidden = vision.Hidden;
        double multiplyAccumulates = (4.0 * rows * hidden * hidden) + (2.0 * rows * rows * hidden) + (2.0 * rowsLeft * hidden * vision.Intermediate);
        if (convention is FlopsConvention.A or FlopsConvention.B)
        {
            return multiplyAccumulates;
        }

        // As in the decoder: 7 for a norm and 1 for a residual on each side, 2 for the activation.
        double flops = 2.0 * multiplyAccumulates;
        return convention == FlopsConvention.C
            ? flops
            : flops + (5.0 * vision.Heads * rows * rows) + (8.0 * hidden * rows) + (10.0 * hidden * rowsLeft);
    }

    /// <summary>Operations of layers of the vision tower that run ahead of a reduction: whole ones, and of the last the norm, the queries and the keys.</summary>
    /// <param name="vision">The tower.</param>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="rows">Rows, CLS included.</param>
    /// <param name="layers">The layers, at least one.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static double TowerAheadFlops(VisionGeometry vision, FlopsConvention convention, int rows, int layers)
    {
        double whole = TowerLayerFlops(vision, convention, rows, rows);
        CheckCount(layers - 1, nameof(layers));
        double multiplyAccumulates = 2.0 * rows * vision.Hidden * vision.Hidden;
        double last = convention switch
        {
            FlopsConvention.A or FlopsConvention.B => multiplyAccumulates,
            FlopsConvention.C => 2.0 * multiplyAccumulates,
            _ => (2.0 * multiplyAccumulates) + (7.0 * vision.Hidden * rows),
        };
        return ((layers - 1) * whole) + last;
    }

    /// <summary>Operations of a layer of the vision tower that runs on fewer rows: the layer, and the two products with its matrices.</summary>
    /// <param name="vision">The tower.</param>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="tokens">Visual tokens.</param>
    /// <param name="rows">Rows that are made of them.</param>
    /// <param name="others">Rows besides: the CLS row.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static double MergedTowerLayerFlops(VisionGeometry vision, FlopsConvention convention, int tokens, int rows, int others)
    {
        double layer = TowerLayerFlops(vision, convention, rows + others, rows + others);
        CheckCount(tokens, nameof(tokens));
        double products = 2.0 * tokens * rows * vision.Hidden;
        return layer + (convention is FlopsConvention.A or FlopsConvention.B ? products : 2.0 * products);
    }

    /// <summary>Operations of the feed-forward layer of some rows, with the norm before it and the residual behind it: what rows save that leave between the two halves of a layer.</summary>
    /// <param name="text">The decoder.</param>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="rows">The rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static double FeedForwardFlops(TextGeometry text, FlopsConvention convention, int rows)
    {
        _ = text ?? throw new ArgumentNullException(nameof(text));
        CheckCount(rows, nameof(rows));
        double hidden = text.Hidden;
        double multiplyAccumulates = (convention == FlopsConvention.A ? 2.0 : 3.0) * rows * hidden * text.Intermediate;
        return convention switch
        {
            FlopsConvention.A or FlopsConvention.B => multiplyAccumulates,
            FlopsConvention.C => 2.0 * multiplyAccumulates,

            // 7 for the norm, 1 for the residual, 2 for the activation.
            _ => (2.0 * multiplyAccumulates) + (10.0 * hidden * rows),
        };
    }

    /// <summary>Operations behind the last layer: the logits of the last row where the convention counts them, else 0.</summary>
    /// <param name="text">The decoder.</param>
    /// <param name="convention">What counts as an operation.</param>
    public static double HeadFlops(TextGeometry text, FlopsConvention convention)
    {
        _ = text ?? throw new ArgumentNullException(nameof(text));
        return convention == FlopsConvention.V ? 2.0 * text.Hidden * text.Vocabulary : 0.0;
    }

    /// <summary>Bytes of one layer's KV cache.</summary>
    /// <param name="text">The decoder.</param>
    /// <param name="rows">Rows cached.</param>
    /// <param name="bytesPerValue">Bytes of one number: 4 for fp32, 2 for fp16.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static long LayerKeyValueBytes(TextGeometry text, int rows, int bytesPerValue)
    {
        _ = text ?? throw new ArgumentNullException(nameof(text));
        CheckCount(rows, nameof(rows));
        CheckCount(bytesPerValue, nameof(bytesPerValue));
        return 2L * text.KeyValueWidth * rows * bytesPerValue;
    }

    private static void CheckCount(int value, string parameter)
    {
        if (value < 0)
        {
            throw new ArgumentOutOfRangeException(parameter, value, "A count cannot be negative.");
        }
    }
}
