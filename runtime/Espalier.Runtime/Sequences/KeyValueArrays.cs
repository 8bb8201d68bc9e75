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
}
