using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Moves rows of a KV cache that lies on a device: the indices of those that stay go up, the rows themselves never come down.</summary>
/// <remarks>The memory of the indices grows and never shrinks. Not thread-safe.</remarks>
internal sealed class CachedRowMoves(OrtSession session, DeviceMemory memory) : IDisposable
{
    private readonly LayerBinding _graph = new(session);
    private readonly RowTensor _rows = RowTensor.Indices(memory);
    private readonly RowTensor _kept = RowTensor.Indices();

    /// <summary>Moves the rows that stay to the beginning of the keys and values of a layer.</summary>
    /// <param name="keys">The tensor of the keys.</param>
    /// <param name="values">The tensor of the values.</param>
    /// <param name="rows">The rows; fewer than the cache has room for, and at least one.</param>
    public void Keep(nint keys, nint values, ReadOnlySpan<int> rows)
    {
        _rows.Resize(rows.Length);
        Span<long> indices = _rows.Span<long>();
        for (int i = 0; i < rows.Length; i++)
        {
            indices[i] = rows[i];
        }

        _rows.Upload();
        _kept.Resize(1);
        _kept.Span<long>()[0] = rows.Length;
        _graph.BindInput("past_key\0"u8, keys);
        _graph.BindInput("past_value\0"u8, values);
        _graph.BindInput("rows\0"u8, _rows.Value);
        _graph.BindInput("kept\0"u8, _kept.Value);
        _graph.BindOutput("present_key\0"u8, keys);
        _graph.BindOutput("present_value\0"u8, values);
        _graph.Run();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _graph.Dispose();
        _rows.Dispose();
        _kept.Dispose();
    }
}
