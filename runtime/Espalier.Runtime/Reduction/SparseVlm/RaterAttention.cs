using System.Numerics.Tensors;

namespace Espalier;

/// <summary>The softmax attention that the raters, text rows behind the image, pay to the visual rows in one decoder layer, head by head; and what distance alone would make of it.</summary>
/// <remarks>A view on memory of a running prefill, valid until the next layer or step. Several threads may read it, none writes it.</remarks>
public readonly ref struct RaterAttention
{
    private readonly ReadOnlySpan<float> _attention;
    private readonly ReadOnlySpan<long> _raterPositions;
    private readonly ReadOnlySpan<long> _visualPositions;
    private readonly ReadOnlySpan<float> _responses;
    private readonly int _prefixRows;
    private readonly int _columns;

    /// <summary>A view on attention.</summary>
    /// <param name="attention">A row a head and rater, the raters of a head side by side; a column a key: the rows before the image, the visual rows, whatever is behind them.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="prefixRows">Rows before the image.</param>
    /// <param name="raterPositions">The position of each rater.</param>
    /// <param name="visualPositions">The position of each visual row.</param>
    /// <param name="responses">By distance: the product of a query and a key of ones, rotated that far apart, divided by the square root of the head's width. Empty if nobody asks.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public RaterAttention(
        ReadOnlySpan<float> attention,
        int heads,
        int prefixRows,
        ReadOnlySpan<long> raterPositions,
        ReadOnlySpan<long> visualPositions,
        ReadOnlySpan<float> responses = default)
    {
        int rows = checked(heads * raterPositions.Length);
        if (heads <= 0 || prefixRows < 0 || rows == 0 || attention.Length % rows != 0 || attention.Length / rows < prefixRows + visualPositions.Length)
        {
            throw new ArgumentException($"{attention.Length} elements are not the attention of {heads} heads and {raterPositions.Length} raters to {prefixRows} rows and {visualPositions.Length} visual ones.", nameof(attention));
        }

        _attention = attention;
        _raterPositions = raterPositions;
        _visualPositions = visualPositions;
        _responses = responses;
        _prefixRows = prefixRows;
        _columns = attention.Length / rows;
        Heads = heads;
    }

    /// <summary>Query heads.</summary>
    public int Heads { get; }

    /// <summary>Raters.</summary>
    public int Raters => _raterPositions.Length;

    /// <summary>Visual rows.</summary>
    public int VisualRows => _visualPositions.Length;

    /// <summary>What a rater pays to the visual rows in one head.</summary>
    /// <param name="head">Zero-based query head.</param>
    /// <param name="rater">The rater's number among the raters.</param>
    public ReadOnlySpan<float> Row(int head, int rater) => _attention.Slice((((head * Raters) + rater) * _columns) + _prefixRows, VisualRows);

    /// <summary>What distance alone makes of the product of a rater's query and a visual row's key: by the positions of both.</summary>
    /// <param name="rater">The rater's number among the raters.</param>
    /// <param name="visualRow">The row's number among the visual rows.</param>
    public float Response(int rater, int visualRow) => _responses[(int)(_raterPositions[rater] - _visualPositions[visualRow])];

    /// <summary>The mean over heads and raters.</summary>
    /// <param name="scores">Receives one number a visual row.</param>
    internal void Mean(Span<float> scores)
    {
        scores.Clear();
        for (int head = 0; head < Heads; head++)
        {
            for (int rater = 0; rater < Raters; rater++)
            {
                TensorPrimitives.Add(scores, Row(head, rater), scores);
            }
        }

        TensorPrimitives.Divide(scores, Heads * Raters, scores);
    }

    /// <summary>The mean over heads.</summary>
    /// <param name="means">Receives a row a rater, a column a visual row.</param>
    internal void MeanOverHeads(Span<float> means)
    {
        means.Clear();
        for (int rater = 0; rater < Raters; rater++)
        {
            Span<float> row = means.Slice(rater * VisualRows, VisualRows);
            for (int head = 0; head < Heads; head++)
            {
                TensorPrimitives.Add(row, Row(head, rater), row);
            }

            TensorPrimitives.Divide(row, Heads, row);
        }
    }
}
