using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier;

/// <summary>Which text rows behind the image are raters in this prefill, and the memory that their attention is read with. Empty where the plan asks no raters.</summary>
/// <remarks>Rows are counted from the first text row on; registers are none. The memory grows with the text and never shrinks. Not thread-safe.</remarks>
internal sealed class TextRaterRows
{
    private readonly float[] _responses;
    private readonly bool _ranks;
    private readonly int _mostVisualRows;
    private int[] _rows = [];
    private long[] _positions = [];
    private double[] _products = [];
    private float[] _means = [];

    public TextRaterRows(ReductionPlan plan, int capacity)
    {
        _ranks = plan.AsksRaterRank;
        _mostVisualRows = plan.DecoderVisualTokens;
        _responses = plan.CorrectsDistance ? RotaryTables.Responses(plan.Geometry.Text, Math.Min(capacity, plan.Geometry.Text.MaxPositions)) : [];
    }

    /// <summary>Raters; 0 before they are chosen.</summary>
    public int Count { get; private set; }

    /// <summary>The raters, ascending.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, Count);

    /// <summary>There are no raters any more.</summary>
    public void Clear() => Count = 0;

    /// <summary>Chooses the raters of a prompt.</summary>
    public void Choose(ReadOnlySpan<float> visual, ReadOnlySpan<float> text, int width, Span<float> scratch)
    {
        int textRows = text.Length / width;
        if (_rows.Length < textRows)
        {
            _rows = new int[textRows];
            _positions = new long[textRows];
        }

        if (_ranks && (_products.Length < textRows * textRows || _means.Length < textRows * _mostVisualRows))
        {
            _products = new double[textRows * textRows];
            _means = new float[textRows * _mostVisualRows];
        }

        Count = TextRaters.Select(visual, text, width, scratch, _rows);
    }

    /// <summary>Some text rows stay; raters among the others are none any more. If no rater is left, all text rows that are left rate.</summary>
    /// <param name="kept">The text rows that stay, ascending, counted from <paramref name="first"/> on.</param>
    /// <param name="first">The number of the first text row in <paramref name="kept"/>.</param>
    public void Keep(ReadOnlySpan<int> kept, int first)
    {
        int count = 0;
        int next = 0;
        for (int row = 0; row < kept.Length; row++)
        {
            while (next < Count && _rows[next] < kept[row] - first)
            {
                next++;
            }

            if (next < Count && _rows[next] == kept[row] - first)
            {
                _rows[count++] = row;
                next++;
            }
        }

        for (int row = 0; Count > 0 && count == 0 && row < kept.Length; row++)
        {
            _rows[row] = row;
        }

        Count = Count > 0 && count == 0 ? kept.Length : count;
    }

    /// <summary>A view on the attention that a layer wrote.</summary>
    public RaterAttention Attention(ReadOnlySpan<float> map, int heads, int prefixRows, ReadOnlySpan<long> visualPositions, ReadOnlySpan<long> textPositions)
    {
        for (int i = 0; i < Count; i++)
        {
            _positions[i] = textPositions[_rows[i]];
        }

        return new RaterAttention(map, heads, prefixRows, _positions.AsSpan(0, Count), visualPositions, _responses);
    }

    /// <summary>The rank of the mean over heads.</summary>
    public int Rank(RaterAttention attention)
    {
        Span<float> means = _means.AsSpan(0, attention.Raters * attention.VisualRows);
        attention.MeanOverHeads(means);
        return MatrixRank.Of(means, attention.Raters, _products);
    }
}
