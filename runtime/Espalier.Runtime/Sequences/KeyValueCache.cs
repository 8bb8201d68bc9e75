using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The static KV cache of one sequence: per decoder layer two buffers <c>float [1, kvHeads, capacity, headDim]</c>, sized by the visual rows that the plan leaves in that layer.</summary>
/// <remarks>Lengths differ by layer. The buffers, their tensors and the one-number inputs (<c>seqlens_k</c>, <c>total</c>, <c>key_rows</c>) are made once and only written in place. Not thread-safe.</remarks>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly TextGeometry _text;
    private readonly NativeBuffer[] _keys;
    private readonly NativeBuffer[] _values;
    private readonly nint[] _keyTensors;
    private readonly nint[] _valueTensors;
    private readonly nint[] _lastRowTensors;
    private readonly nint[] _capacityTensors;
    private readonly nint[] _keyRowTensors;
    private readonly NativeBuffer _lastRows;
    private readonly NativeBuffer _capacities;
    private readonly NativeBuffer _keyRows;
    private readonly int[] _lengths;
    private readonly int[] _rowCapacities;

    public KeyValueCache(ReductionPlan plan, int capacity)
    {
        _text = plan.Geometry.Text;
        int layers = _text.Layers;
        _keys = new NativeBuffer[layers];
        _values = new NativeBuffer[layers];
        _keyTensors = new nint[layers];
        _valueTensors = new nint[layers];
        _lastRowTensors = new nint[layers];
        _capacityTensors = new nint[layers];
        _keyRowTensors = new nint[layers];
        _lengths = new int[layers];
        _rowCapacities = new int[layers];
        _lastRows = NativeBuffer.Allocate((nuint)(layers * sizeof(int)));
        _capacities = NativeBuffer.Allocate((nuint)(layers * sizeof(int)));
        _keyRows = NativeBuffer.Allocate((nuint)(layers * sizeof(long)));
        try
        {
            for (int layer = 0; layer < layers; layer++)
            {
                int rows = capacity - plan.ImagePositions + plan.Registers + plan.VisualTokensAt(layer);
                nuint bytes = checked((nuint)rows * (nuint)_text.KeyValueWidth * sizeof(float));
                ReadOnlySpan<long> shape = [1, _text.KeyValueHeads, rows, _text.HeadDim];
                _rowCapacities[layer] = rows;
                _keys[layer] = NativeBuffer.Allocate(bytes);
                _values[layer] = NativeBuffer.Allocate(bytes);
                _keyTensors[layer] = OrtRaw.CreateTensor(_keys[layer].Pointer, bytes, shape, OrtElementType.Float);
                _valueTensors[layer] = OrtRaw.CreateTensor(_values[layer].Pointer, bytes, shape, OrtElementType.Float);
                _lastRowTensors[layer] = OrtRaw.CreateTensor(_lastRows.Pointer + (layer * sizeof(int)), sizeof(int), [1], OrtElementType.Int32);
                _capacityTensors[layer] = OrtRaw.CreateTensor(_capacities.Pointer + (layer * sizeof(int)), sizeof(int), [1], OrtElementType.Int32);
                _keyRowTensors[layer] = OrtRaw.CreateTensor(_keyRows.Pointer + (layer * sizeof(long)), sizeof(long), [1], OrtElementType.Int64);
                ((int*)_capacities.Pointer)[layer] = rows;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of all key and value buffers.</summary>
    public long ByteLength
    {
        get
        {
            long bytes = 0;
            foreach (NativeBuffer buffer in _keys)
            {
                bytes += 2 * (long)buffer.ByteLength;
            }

            return bytes;
        }
    }

    /// <summary>Rows that a layer holds.</summary>
    public int Length(int layer) => _lengths[layer];

    /// <summary>Numbers that one token leaves in the caches of all layers.</summary>
    public long FloatsPerRow => 2L * _keys.Length * _text.KeyValueWidth;

    /// <summary>Binds what never changes between runs: past and present to the same buffers, and the one-number inputs.</summary>
    public void Bind(OrtBinding binding, int layer)
    {
        binding.BindInput("past_key\0"u8, _keyTensors[layer]);
        binding.BindInput("past_value\0"u8, _valueTensors[layer]);
        binding.BindInput("seqlens_k\0"u8, _lastRowTensors[layer]);
        binding.BindInput("total\0"u8, _capacityTensors[layer]);
        binding.BindOutput("present_key\0"u8, _keyTensors[layer]);
        binding.BindOutput("present_value\0"u8, _valueTensors[layer]);
    }

    /// <summary>Binds the keys for reading alone, and their count.</summary>
    public void BindKeys(OrtBinding binding, int layer)
    {
        binding.BindInput("past_key\0"u8, _keyTensors[layer]);
        BindKeyRows(binding, layer);
    }

    /// <summary>Binds the key count that a scored layer reads.</summary>
    public void BindKeyRows(OrtBinding binding, int layer) => binding.BindInput("key_rows\0"u8, _keyRowTensors[layer]);

    /// <summary>Binds the scattered rows of a frozen layer to the cache itself, so that they are written in place.</summary>
    public void BindScatter(OrtBinding binding, int layer)
    {
        binding.BindOutput("scattered_key\0"u8, _keyTensors[layer]);
        binding.BindOutput("scattered_value\0"u8, _valueTensors[layer]);
    }

    /// <summary>Announces <paramref name="rows"/> new rows to the next run of a layer.</summary>
    /// <exception cref="InvalidOperationException">The layer has no room: a native call would write past the buffer.</exception>
    public void Announce(int layer, int rows)
    {
        int length = _lengths[layer] + rows;
        if (length > _rowCapacities[layer])
        {
            ThrowFull(layer, length);
        }

        ((int*)_lastRows.Pointer)[layer] = length - 1;
        ((long*)_keyRows.Pointer)[layer] = length;
    }

    /// <summary>Counts rows that a run has written.</summary>
    public void Advance(int layer, int rows) => _lengths[layer] += rows;

    /// <summary>Says that every layer holds <paramref name="length"/> rows: the prefix, or none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A layer has no room for so many.</exception>
    public void SetLength(int length)
    {
        foreach (int capacity in _rowCapacities)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, capacity);
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

    /// <summary>Copies the first rows of every layer out, head by head: <c>[layer][key, value][head][row][headDim]</c>.</summary>
    public void CopyPrefixTo(Span<float> destination, int rows) => CopyPrefix(destination, rows, read: true);

    /// <summary>Copies rows in that <see cref="CopyPrefixTo"/> copied out.</summary>
    public void CopyPrefixFrom(ReadOnlySpan<float> source, int rows)
    {
        fixed (float* start = source)
        {
            CopyPrefix(new Span<float>(start, source.Length), rows, read: false);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nint[] tensors in (ReadOnlySpan<nint[]>)[_keyTensors, _valueTensors, _lastRowTensors, _capacityTensors, _keyRowTensors])
        {
            for (int i = 0; i < tensors.Length; i++)
            {
                if (tensors[i] != 0)
                {
                    OrtRaw.ReleaseValue(tensors[i]);
                    tensors[i] = 0;
                }
            }
        }

        for (int layer = 0; layer < _keys.Length; layer++)
        {
            _keys[layer]?.Dispose();
            _values[layer]?.Dispose();
        }

        _lastRows.Dispose();
        _capacities.Dispose();
        _keyRows.Dispose();
    }

    private void CopyPrefix(Span<float> packed, int rows, bool read)
    {
        int run = rows * _text.HeadDim;
        int offset = 0;
        for (int layer = 0; layer < _keys.Length; layer++)
        {
            foreach (NativeBuffer buffer in (ReadOnlySpan<NativeBuffer>)[_keys[layer], _values[layer]])
            {
                for (int head = 0; head < _text.KeyValueHeads; head++)
                {
                    var cached = new Span<float>((float*)buffer.Pointer + ((long)head * _rowCapacities[layer] * _text.HeadDim), run);
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

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    private void ThrowFull(int layer, int length) =>
        throw new InvalidOperationException($"Layer {layer} has room for {_rowCapacities[layer]} KV rows, but {length} are needed.");
}
