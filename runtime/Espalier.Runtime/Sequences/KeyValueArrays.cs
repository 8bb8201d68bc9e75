using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The memory of the KV caches of one or several sequences of a plan: per decoder layer keys and values <c>[sequences, kvHeads, rows, headDim]</c> and the numbers that tell the kernel how many rows are in use.</summary>
/// <remarks>Sequences of a batch lie behind each other, so that one run can read and write the caches of all of them; each is a whole cache by itself. Zeroed at first. Not thread-safe.</remarks>
internal sealed unsafe class KeyValueArrays : IDisposable
{
    private readonly NativeBuffer[] _keys;
    private readonly NativeBuffer[] _values;
    private readonly NativeBuffer _lastRows;
    private readonly NativeBuffer _keyRows;
    private readonly NativeBuffer _capacities;
    private readonly int[] _rows;

    /// <summary>Allocates.</summary>
    /// <param name="plan">Says how many visual rows each layer keeps.</param>
    /// <param name="capacity">Positions of each sequence.</param>
    /// <param name="sequences">How many sequences there are.</param>
    /// <param name="type">The type of keys and values.</param>
    /// <param name="holdsRows">False if keys and values lie on a device, and only the numbers lie here.</param>
    /// <exception cref="OutOfMemoryException">There is not that much memory.</exception>
    public KeyValueArrays(ReductionPlan plan, int capacity, int sequences = 1, bool holdsRows = true, OrtElementType type = OrtElementType.Float)
    {
        Type = type;
        Text = plan.Geometry.Text;
        Sequences = sequences;
        _rows = new int[Text.Layers];
        _keys = new NativeBuffer[Text.Layers];
        _values = new NativeBuffer[Text.Layers];
        _lastRows = NativeBuffer.Allocate<int>((long)Text.Layers * sequences);
        _keyRows = NativeBuffer.Allocate<long>((long)Text.Layers * sequences);
        _capacities = NativeBuffer.Allocate<int>(Text.Layers);
        try
        {
            for (int layer = 0; layer < Text.Layers; layer++)
            {
                _rows[layer] = capacity - plan.ImagePositions + plan.Registers + plan.VisualTokensAt(layer);
                ((int*)_capacities.Pointer)[layer] = _rows[layer];
                nuint bytes = holdsRows ? checked((nuint)sequences * Bytes(layer)) : 0;
                _keys[layer] = NativeBuffer.Allocate(bytes);
                _values[layer] = NativeBuffer.Allocate(bytes);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The type of keys and values.</summary>
    public OrtElementType Type { get; }

    /// <summary>The decoder.</summary>
    public TextGeometry Text { get; }

    /// <summary>Sequences that have room here.</summary>
    public int Sequences { get; }

    /// <summary>Rows that a layer of each sequence has room for.</summary>
    public int Rows(int layer) => _rows[layer];

    /// <summary>Bytes of the keys, or the values, of one sequence in a layer.</summary>
    public nuint Bytes(int layer) => checked((nuint)_rows[layer] * (nuint)Text.KeyValueWidth * (nuint)Type.Size());

    /// <summary>The keys of a sequence in a layer.</summary>
    public nint Keys(int layer, int sequence) => checked(_keys[layer].Pointer + (nint)((nuint)sequence * Bytes(layer)));

    /// <summary>The values of a sequence in a layer.</summary>
    public nint Values(int layer, int sequence) => checked(_values[layer].Pointer + (nint)((nuint)sequence * Bytes(layer)));

    /// <summary>Where the index of the last row in use is written: int32, the sequences of a layer behind each other.</summary>
    public nint LastRow(int layer, int sequence) => (nint)((int*)_lastRows.Pointer + ((long)layer * Sequences) + sequence);

    /// <summary>Where the number of rows in use is written: int64.</summary>
    public nint KeyRows(int layer, int sequence) => (nint)((long*)_keyRows.Pointer + ((long)layer * Sequences) + sequence);

    /// <summary>The room of a layer, as the kernel reads it: int32.</summary>
    public nint Capacity(int layer) => (nint)((int*)_capacities.Pointer + layer);

    /// <summary>Moves the rows of a sequence that stay together, to the beginning of a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="rows">Strictly ascending indices of the rows that stay: no row moves over one that is still to be read.</param>
    public void Keep(int layer, int sequence, ReadOnlySpan<int> rows)
    {
        // Rows that lie together move together.
        for (int to = 0; to < rows.Length;)
        {
            int end = to + 1;
            while (end < rows.Length && rows[end] == rows[end - 1] + 1)
            {
                end++;
            }

            if (rows[to] != to)
            {
                Move(layer, sequence, rows[to], to, end - to);
            }

            to = end;
        }
    }

    /// <summary>Copies the first rows of every layer of a sequence out or in, head by head: <c>[layer][key, value][head][row][headDim]</c>. Only of floats that lie here.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="packed">Where they are copied to, or from.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="read">True to copy out.</param>
    public void CopyPrefix(int sequence, Span<float> packed, int rows, bool read)
    {
        int run = rows * Text.HeadDim;
        int offset = 0;
        for (int layer = 0; layer < _rows.Length; layer++)
        {
            foreach (nint start in (ReadOnlySpan<nint>)[Keys(layer, sequence), Values(layer, sequence)])
            {
                for (int head = 0; head < Text.KeyValueHeads; head++)
                {
                    var cached = new Span<float>((float*)start + ((long)head * _rows[layer] * Text.HeadDim), run);
                    Span<float> slice = packed.Slice(offset, run);
                    if (read)
                    {
                        cached.CopyTo(slice);
                    }
                    else
                    {
                        slice.CopyTo(cached);
                    }

                    offset += run;
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int layer = 0; layer < _keys.Length; layer++)
        {
            _keys[layer]?.Dispose();
            _values[layer]?.Dispose();
        }

        _lastRows.Dispose();
        _keyRows.Dispose();
        _capacities.Dispose();
    }

    private void Move(int layer, int sequence, int from, int to, int rows)
    {
        foreach (nint start in (ReadOnlySpan<nint>)[Keys(layer, sequence), Values(layer, sequence)])
        {
            for (int head = 0; head < Text.KeyValueHeads; head++)
            {
                int width = Text.HeadDim * Type.Size();
                byte* first = (byte*)start + ((long)head * _rows[layer] * width);
                var moved = new Span<byte>(first + ((long)from * width), rows * width);
                moved.CopyTo(new Span<byte>(first + ((long)to * width), moved.Length));
            }
        }
    }
}
