namespace Espalier;

/// <summary>The small graphs that move rows, bound for one sequence.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class RowGraphBindings(ModelSessions sessions) : IDisposable
{
    private readonly LayerBinding _gather = new(sessions.GatherRows);
    private readonly LayerBinding _part = new(sessions.PartRows);
    private readonly LayerBinding _join = new(sessions.JoinRows);
    private readonly LayerBinding? _merge = sessions.MergeRows is { } merge ? new LayerBinding(merge) : null;
    private readonly RowTensor _indices = RowTensor.Indices(sessions.Memory);
    private readonly RowTensor _sizes = RowTensor.Indices();

    /// <summary>Sees to it that a gather of so many rows allocates nothing.</summary>
    public void Reserve(int rows) => _indices.Reserve(rows);

    /// <summary>Copies the kept visual rows and the text rows behind them into <paramref name="destination"/>.</summary>
    public void Gather(RowTensor source, ReadOnlySpan<int> kept, int visualTokens, int textRows, RowTensor destination)
    {
        _indices.Resize(kept.Length + textRows);
        Span<long> indices = _indices.Span<long>();
        for (int i = 0; i < kept.Length; i++)
        {
            indices[i] = kept[i];
        }

        for (int i = 0; i < textRows; i++)
        {
            indices[kept.Length + i] = visualTokens + i;
        }

        Gather(source, destination);
    }

    /// <summary>Copies the visual rows and the kept text rows behind them into <paramref name="destination"/>.</summary>
    public void GatherText(RowTensor source, int visualTokens, ReadOnlySpan<int> kept, RowTensor destination)
    {
        _indices.Resize(visualTokens + kept.Length);
        Span<long> indices = _indices.Span<long>();
        for (int i = 0; i < visualTokens; i++)
        {
            indices[i] = i;
        }

        for (int i = 0; i < kept.Length; i++)
        {
            indices[visualTokens + i] = visualTokens + kept[i];
        }

        Gather(source, destination);
    }

    /// <summary>Lets the visual rows that stay take in those that leave.</summary>
    public void Merge(RowTensor source, MergeBuffers merge, RowTensor destination)
    {
        _merge!.BindInput("x\0"u8, source.Value);
        merge.Bind(_merge);
        _merge.BindOutput("y\0"u8, destination.Value);
        _merge.Run();
    }

    /// <summary>Splits rows into visual and text.</summary>
    public void Part(RowTensor source, RowTensor visual, RowTensor text)
    {
        _sizes.Resize(2);
        _sizes.Span<long>()[0] = visual.Rows;
        _sizes.Span<long>()[1] = text.Rows;
        _part.BindInput("x\0"u8, source.Value);
        _part.BindInput("sizes\0"u8, _sizes.Value);
        _part.BindOutput("visual\0"u8, visual.Value);
        _part.BindOutput("text\0"u8, text.Value);
        _part.Run();
    }

    /// <summary>Puts text rows behind visual rows.</summary>
    public void Join(RowTensor visual, RowTensor text, RowTensor destination)
    {
        _join.BindInput("visual\0"u8, visual.Value);
        _join.BindInput("text\0"u8, text.Value);
        _join.BindOutput("y\0"u8, destination.Value);
        _join.Run();
    }

    private void Gather(RowTensor source, RowTensor destination)
    {
        _indices.Upload();
        _gather.BindInput("x\0"u8, source.Value);
        _gather.BindInput("rows\0"u8, _indices.Value);
        _gather.BindOutput("y\0"u8, destination.Value);
        _gather.Run();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _gather.Dispose();
        _part.Dispose();
        _join.Dispose();
        _merge?.Dispose();
        _indices.Dispose();
        _sizes.Dispose();
    }
}
