using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The static KV cache of one sequence: per decoder layer keys and values <c>[1, kvHeads, capacity, headDim]</c>, sized by the visual rows that the plan leaves in that layer.</summary>
/// <remarks>Lengths differ by layer. The buffers, their tensors and the one-number inputs (<c>seqlens_k</c>, <c>total</c>, <c>key_rows</c>) are made once and only written in place. Not thread-safe.</remarks>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly TextGeometry _text;
    private readonly KeyValueArrays _arrays;
    private readonly bool _owned;
    private readonly int _sequence;
    private readonly RemoteRows? _remote;
    private readonly CachedRowMoves? _moves;
    private readonly HeldTensor[] _keyTensors;
    private readonly HeldTensor[] _valueTensors;
    private readonly HeldTensor[] _lastRowTensors;
    private readonly HeldTensor[] _capacityTensors;
    private readonly HeldTensor[] _keyRowTensors;
    private readonly int[] _lengths;

    /// <summary>A cache in memory of its own.</summary>
    /// <param name="plan">Says how many visual rows each layer keeps.</param>
    /// <param name="capacity">Positions.</param>
    /// <param name="memory">Where the rows lie, which they never leave; null for the host.</param>
    /// <param name="moves">Moves rows in the memory of a device; null if none leave.</param>
    /// <param name="type">The type of the rows.</param>
    public KeyValueCache(ReductionPlan plan, int capacity, DeviceMemory? memory = null, CachedRowMoves? moves = null, OrtElementType type = OrtElementType.Float)
        : this(new KeyValueArrays(plan, capacity, holdsRows: memory?.IsHost != false, type: type), sequence: 0, owned: true, memory, moves)
    {
    }

    /// <summary>A cache in a batch's memory, which outlives it.</summary>
    /// <param name="arrays">The memory.</param>
    /// <param name="sequence">Which of its sequences the cache is of.</param>
    public KeyValueCache(KeyValueArrays arrays, int sequence)
        : this(arrays, sequence, owned: false)
    {
    }

    private KeyValueCache(KeyValueArrays arrays, int sequence, bool owned, DeviceMemory? memory = null, CachedRowMoves? moves = null)
    {
        _moves = moves;
        _remote = memory?.IsHost == false ? new RemoteRows(arrays, memory) : null;
        _arrays = arrays;
        _owned = owned;
        _sequence = sequence;
        _text = arrays.Text;
        int layers = _text.Layers;
        _keyTensors = new HeldTensor[layers];
        _valueTensors = new HeldTensor[layers];
        _lastRowTensors = new HeldTensor[layers];
        _capacityTensors = new HeldTensor[layers];
        _keyRowTensors = new HeldTensor[layers];
        _lengths = new int[layers];
        try
        {
            for (int layer = 0; layer < layers; layer++)
            {
                nuint bytes = arrays.Bytes(layer);
                ReadOnlySpan<long> shape = [1, _text.KeyValueHeads, arrays.Rows(layer), _text.HeadDim];
                _keyTensors[layer] = new HeldTensor(_remote?.Keys[layer].CreateTensor(bytes, shape, arrays.Type) ?? OrtRaw.CreateTensor(arrays.Keys(layer, sequence), bytes, shape, arrays.Type));
                _valueTensors[layer] = new HeldTensor(_remote?.Values[layer].CreateTensor(bytes, shape, arrays.Type) ?? OrtRaw.CreateTensor(arrays.Values(layer, sequence), bytes, shape, arrays.Type));
                _lastRowTensors[layer] = new HeldTensor(_remote?.CreateLastRow() ?? OrtRaw.CreateTensor(arrays.LastRow(layer, sequence), sizeof(int), [1], OrtElementType.Int32));
                _capacityTensors[layer] = new HeldTensor(OrtRaw.CreateTensor(arrays.Capacity(layer), sizeof(int), [1], OrtElementType.Int32));
                _keyRowTensors[layer] = new HeldTensor(OrtRaw.CreateTensor(arrays.KeyRows(layer, sequence), sizeof(long), [1], OrtElementType.Int64));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of all keys and values.</summary>
    public long ByteLength
    {
        get
        {
            long bytes = 0;
            for (int layer = 0; layer < _lengths.Length; layer++)
            {
                bytes += 2 * (long)_arrays.Bytes(layer);
            }

            return bytes;
        }
    }

    /// <summary>True if the host can read and write the rows, as floats.</summary>
    public bool IsOnHost => _remote is null && _arrays.Type == OrtElementType.Float;

    /// <summary>The tensors of the keys and of the values of a layer.</summary>
    public (nint Keys, nint Values) TensorsOf(int layer) => (_keyTensors[layer].Value, _valueTensors[layer].Value);

    /// <summary>Rows that a layer holds.</summary>
    public int Length(int layer) => _lengths[layer];

    /// <summary>Numbers that one token leaves in the caches of all layers.</summary>
    public long FloatsPerRow => 2L * _lengths.Length * _text.KeyValueWidth;

    /// <summary>Binds what never changes between runs: past and present to the same buffers, and the one-number inputs.</summary>
    public void Bind(OrtBinding binding, int layer)
    {
        binding.BindInput("past_key\0"u8, _keyTensors[layer].Value);
        binding.BindInput("past_value\0"u8, _valueTensors[layer].Value);
        binding.BindInput("seqlens_k\0"u8, _lastRowTensors[layer].Value);
        binding.BindInput("total\0"u8, _capacityTensors[layer].Value);
        binding.BindOutput("present_key\0"u8, _keyTensors[layer].Value);
        binding.BindOutput("present_value\0"u8, _valueTensors[layer].Value);
    }

    /// <summary>Binds what a batch whose caches are tensors apart reads and writes of this one; the names of the tensors end with its number there.</summary>
    public void BindAmong(OrtBinding binding, int layer, int sequence)
    {
        binding.BindInput(Name(GraphNames.PastKey), _keyTensors[layer].Value);
        binding.BindInput(Name(GraphNames.PastValue), _valueTensors[layer].Value);
        binding.BindInput(Name(GraphNames.LastRow), _lastRowTensors[layer].Value);
        binding.BindInput("total\0"u8, _capacityTensors[layer].Value);
        binding.BindOutput(Name(GraphNames.PresentKey), _keyTensors[layer].Value);
        binding.BindOutput(Name(GraphNames.PresentValue), _valueTensors[layer].Value);

        byte[] Name(string name) => System.Text.Encoding.UTF8.GetBytes(BatchLayerGraph.Of(name, sequence) + "\0");
    }

    /// <summary>Binds the keys for reading alone, and their count.</summary>
    public void BindKeys(OrtBinding binding, int layer)
    {
        binding.BindInput("past_key\0"u8, _keyTensors[layer].Value);
        BindKeyRows(binding, layer);
    }

    /// <summary>Binds the key count that a scored layer reads.</summary>
    public void BindKeyRows(OrtBinding binding, int layer) => binding.BindInput("key_rows\0"u8, _keyRowTensors[layer].Value);

    /// <summary>Binds the scattered rows of a frozen layer to the cache itself, so that they are written in place.</summary>
    public void BindScatter(OrtBinding binding, int layer)
    {
        binding.BindOutput("scattered_key\0"u8, _keyTensors[layer].Value);
        binding.BindOutput("scattered_value\0"u8, _valueTensors[layer].Value);
    }

    /// <summary>Tells a graph that reads the keys of a layer, and adds none, how many there are.</summary>
    public void CountKeys(int layer) => *(long*)_arrays.KeyRows(layer, _sequence) = _lengths[layer];

    /// <summary>Announces <paramref name="rows"/> new rows to the next run of a layer, which comes before that of another.</summary>
    /// <exception cref="InvalidOperationException">The layer has no room: a native call would write past the buffer.</exception>
    public void Announce(int layer, int rows)
    {
        int length = _lengths[layer] + rows;
        if (length > _arrays.Rows(layer))
        {
            ThrowFull(layer, length);
        }

        *(int*)_arrays.LastRow(layer, _sequence) = length - 1;
        *(long*)_arrays.KeyRows(layer, _sequence) = length;
        _remote?.Announce(layer, length - 1);
    }

    /// <summary>Announces a row that a run of a batch writes though the sequence rests: nobody reads it, and it is not counted.</summary>
    public void AnnounceUnread(int layer)
    {
        int row = Math.Min(_lengths[layer], _arrays.Rows(layer) - 1);
        *(int*)_arrays.LastRow(layer, _sequence) = row;
        _remote?.Announce(layer, row);
    }

    /// <summary>Counts rows that a run has written.</summary>
    public void Advance(int layer, int rows) => _lengths[layer] += rows;

    /// <summary>Says that every layer holds <paramref name="length"/> rows: the prefix, or none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A layer has no room for so many.</exception>
    public void SetLength(int length)
    {
        for (int layer = 0; layer < _lengths.Length; layer++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _arrays.Rows(layer));
        }

        _lengths.AsSpan().Fill(length);
    }

    /// <summary>Forgets the last rows of every layer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A layer holds fewer.</exception>
    public void Drop(int rows)
    {
        foreach (int length in _lengths)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, length);
        }

        for (int layer = 0; layer < _lengths.Length; layer++)
        {
            _lengths[layer] -= rows;
        }
    }

    /// <summary>Keeps some rows of a layer and forgets the others: those that stay move together, to the beginning, where they lie.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="rows">Strictly ascending indices of the rows that stay.</param>
    /// <exception cref="ArgumentException">An index is out of range or not ascending.</exception>
    public void Keep(int layer, ReadOnlySpan<int> rows)
    {
        int before = -1;
        foreach (int row in rows)
        {
            if (row <= before || row >= _lengths[layer])
            {
                throw new ArgumentException($"Row {row} of layer {layer} cannot stay behind row {before}: rows ascend, and there are {_lengths[layer]}.", nameof(rows));
            }

            before = row;
        }

        if (rows.Length < _lengths[layer])
        {
            if (_remote is null)
            {
                _arrays.Keep(layer, _sequence, rows);
            }
            else if (!rows.IsEmpty)
            {
                (_moves ?? throw new InvalidOperationException("The plan lets no cached rows leave.")).Keep(_keyTensors[layer].Value, _valueTensors[layer].Value, rows);
            }

            _lengths[layer] = rows.Length;
        }
    }

    /// <summary>Copies the first rows of every layer out, of a cache that <see cref="IsOnHost"/>, head by head: <c>[layer][key, value][head][row][headDim]</c>.</summary>
    public void CopyPrefixTo(Span<float> destination, int rows) => _arrays.CopyPrefix(_sequence, destination, rows, read: true);

    /// <summary>Copies rows in that <see cref="CopyPrefixTo"/> copied out.</summary>
    public void CopyPrefixFrom(ReadOnlySpan<float> source, int rows)
    {
        fixed (float* start = source)
        {
            _arrays.CopyPrefix(_sequence, new Span<float>(start, source.Length), rows, read: false);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (HeldTensor[] tensors in (ReadOnlySpan<HeldTensor[]>)[_keyTensors, _valueTensors, _lastRowTensors, _capacityTensors, _keyRowTensors])
        {
            foreach (HeldTensor? tensor in tensors)
            {
                tensor?.Dispose();
            }
        }

        _remote?.Dispose();
        _moves?.Dispose();
        if (_owned)
        {
            _arrays.Dispose();
        }
    }

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    private void ThrowFull(int layer, int length) =>
        throw new InvalidOperationException($"Layer {layer} has room for {_arrays.Rows(layer)} KV rows, but {length} are needed.");
}
