using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The memory of a merge of visual rows with rows in front of and behind them, which stay as they are, and the tensors over it that the graph reads.</summary>
/// <remarks>The memory grows and never shrinks; a tensor is made anew when its shape changes, which costs a native allocation and no managed one. Not thread-safe.</remarks>
internal sealed class MergeBuffers(DeviceMemory memory) : IDisposable
{
    private readonly RowTensor _keptRows = RowTensor.Indices(memory);
    private readonly RowTensor _absorbedRows = RowTensor.Indices(memory);
    private readonly RowTensor _own = RowTensor.Hidden(1, memory);
    private readonly MatrixTensor _shares = new(memory);
    private int[] _kept = [];
    private int[] _absorbed = [];
    private int _rows;
    private int _textRows;
    private int _columns;
    private int _leadingRows;

    /// <summary>What the kernel fills: all zero, but for what stays of each row, which is 1.</summary>
    public RowMerge Merge => new(_kept.AsSpan(0, _rows), _absorbed.AsSpan(0, _columns), _own.Span<float>().Slice(_leadingRows, _rows), VisualShares);

    private Span<float> VisualShares => _shares.Span.Slice(_leadingRows * _columns, _rows * _columns);

    /// <summary>Makes room.</summary>
    /// <param name="rows">Visual rows that stay.</param>
    /// <param name="absorbed">Visual rows that leave.</param>
    /// <param name="textRows">Text rows behind them.</param>
    /// <param name="leadingRows">Rows in front of them: the CLS row of a vision tower.</param>
    public RowMerge Begin(int rows, int absorbed, int textRows, int leadingRows = 0)
    {
        int all = leadingRows + rows + textRows;
        _shares.Resize(all, absorbed);
        (_rows, _textRows, _columns, _leadingRows) = (rows, textRows, absorbed, leadingRows);
        GrowIndices(rows, absorbed);
        _keptRows.Resize(all);
        _absorbedRows.Resize(absorbed);
        _own.Resize(all);
        _own.Span<float>().Fill(1);
        _shares.Span.Clear();
        return Merge;
    }

    /// <summary>Sees to it that no merge of so many visual rows allocates, however many of them stay.</summary>
    /// <param name="visualTokens">Visual rows before the merge, at most.</param>
    /// <param name="textRows">Text rows behind them.</param>
    public void Reserve(int visualTokens, int textRows)
    {
        // (stay + text) x absorbed is largest where the two factors are equal.
        nuint half = (nuint)(visualTokens + textRows + 1) / 2;
        _shares.Reserve(checked(half * half));
        GrowIndices(visualTokens, visualTokens);
        _keptRows.Reserve(visualTokens + textRows);
        _own.Reserve(visualTokens + textRows);
        _absorbedRows.Reserve(visualTokens);
    }

    /// <summary>True if a merge is the one that <see cref="Begin"/> handed out last.</summary>
    public bool Owns(RowMerge merge) =>
        _rows > 0 && merge.Shares == VisualShares && merge.Own == _own.Span<float>().Slice(_leadingRows, _rows)
        && merge.Kept == _kept.AsSpan(0, _rows) && merge.Absorbed == _absorbed.AsSpan(0, _columns);

    /// <summary>Hands the merge to the device and binds it to its graph.</summary>
    public void Bind(LayerBinding graph)
    {
        Span<long> kept = _keptRows.Span<long>();
        for (int i = 0; i < _leadingRows; i++)
        {
            kept[i] = i;
        }

        for (int i = 0; i < _rows; i++)
        {
            kept[_leadingRows + i] = _leadingRows + _kept[i];
        }

        for (int i = 0; i < _textRows; i++)
        {
            kept[_leadingRows + _rows + i] = _leadingRows + _rows + _columns + i;
        }

        Span<long> absorbed = _absorbedRows.Span<long>();
        for (int i = 0; i < _columns; i++)
        {
            absorbed[i] = _leadingRows + _absorbed[i];
        }

        _keptRows.Upload();
        _absorbedRows.Upload();
        _own.Upload();
        _shares.Upload();
        graph.BindInput("rows\0"u8, _keptRows.Value);
        graph.BindInput("absorbed\0"u8, _absorbedRows.Value);
        graph.BindInput("own\0"u8, _own.Value);
        graph.BindInput("shares\0"u8, _shares.Value);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _shares.Dispose();
        _keptRows.Dispose();
        _absorbedRows.Dispose();
        _own.Dispose();
    }

    private void GrowIndices(int rows, int absorbed)
    {
        if (_kept.Length < rows || _absorbed.Length < absorbed)
        {
            _kept = new int[Math.Max(rows, _kept.Length)];
            _absorbed = new int[Math.Max(absorbed, _absorbed.Length)];
        }
    }
}
