using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>Decode steps of several sequences at once: a row of each goes through every layer, so that weights are read once for all of them; each row attends to the KV cache of its own sequence.</summary>
/// <remarks>
/// <para>It runs the sessions that single sequences decode with, over their caches where they lie. Sequences take part by their slot; a slot that rests computes a row that nobody reads.
/// What a plan did to visual tokens is in the lengths of the caches and the numbering of the rows, so every plan decodes by this one loop.</para>
/// <para>A step allocates nothing managed. Not thread-safe.</para>
/// </remarks>
internal sealed unsafe class BatchDecode : IDisposable
{
    private readonly KeyValueArrays _arrays;
    private readonly BatchLogits _logits;
    private readonly LayerBinding[] _layers;
    private readonly LayerBinding _head;
    private readonly int[] _numberings;
    private readonly NativeBuffer _evenRows;
    private readonly NativeBuffer _oddRows;
    private readonly NativeBuffer _positions;
    private readonly NativeBuffer _row = NativeBuffer.Allocate<long>(1);
    private readonly KeyValueCache?[] _loaded;
    private int _bound;

    /// <summary>Binds nothing yet: the first step does.</summary>
    public BatchDecode(ModelSessions sessions, KeyValueArrays arrays, BatchLogits logits)
    {
        _arrays = arrays;
        _logits = logits;
        _loaded = new KeyValueCache?[arrays.Sequences];
        _numberings = [.. Enumerable.Range(0, arrays.Text.Layers).Select(sessions.NumberingAt)];
        _layers = [.. Enumerable.Range(0, arrays.Text.Layers).Select(layer => new LayerBinding(sessions.Decode(layer)))];
        _head = new LayerBinding(sessions.Head);
        _evenRows = NativeBuffer.Allocate<float>((long)arrays.Sequences * arrays.Text.Hidden);
        _oddRows = NativeBuffer.Allocate<float>((long)arrays.Sequences * arrays.Text.Hidden);
        _positions = NativeBuffer.Allocate<long>((long)arrays.Sequences * (_numberings[^1] + 1));
    }

    /// <summary>Puts the token of a sequence in place for the next step.</summary>
    /// <param name="slot">The sequence's slot.</param>
    /// <param name="cache">Its KV cache, which has room for a row.</param>
    /// <param name="embeddings">The table.</param>
    /// <param name="token">The token.</param>
    /// <param name="position">Its position.</param>
    /// <param name="shifts">By how much the position is smaller in each numbering of the rows.</param>
    public void Load(int slot, KeyValueCache cache, EmbeddingTable embeddings, int token, int position, ReadOnlySpan<int> shifts)
    {
        embeddings.Read([token], _evenRows.Slice<float>((long)slot * _arrays.Text.Hidden, _arrays.Text.Hidden));
        for (int numbering = 0; numbering < shifts.Length; numbering++)
        {
            ((long*)_positions.Pointer)[(numbering * _arrays.Sequences) + slot] = position - shifts[numbering];
        }

        _loaded[slot] = cache;
    }

    /// <summary>Runs a step of the loaded sequences. Their logits are in place afterwards and their caches longer by a row; the next step loads anew.</summary>
    /// <param name="caches">The cache of every slot.</param>
    /// <param name="cancellationToken">Looked at before each layer.</param>
    /// <exception cref="OperationCanceledException">Cancelled: the caches hold rows of some layers only.</exception>
    public void Run(ReadOnlySpan<KeyValueCache> caches, CancellationToken cancellationToken)
    {
        int sequences = _arrays.Sequences;
        while (sequences > 0 && _loaded[sequences - 1] is null)
        {
            sequences--;
        }

        if (sequences == 0)
        {
            return;
        }

        try
        {
            Bind(sequences);
            Announce(caches[..sequences]);
            foreach (LayerBinding layer in _layers)
            {
                cancellationToken.ThrowIfCancellationRequested();
                layer.Run();
            }

            _head.Run();
            foreach (KeyValueCache? cache in _loaded.AsSpan(0, sequences))
            {
                for (int layer = 0; cache is not null && layer < _layers.Length; layer++)
                {
                    cache.Advance(layer, 1);
                }
            }
        }
        finally
        {
            Array.Clear(_loaded);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LayerBinding layer in _layers)
        {
            layer.Dispose();
        }

        _head.Dispose();
        _evenRows.Dispose();
        _oddRows.Dispose();
        _positions.Dispose();
        _row.Dispose();
    }

    private void Announce(ReadOnlySpan<KeyValueCache> caches)
    {
        for (int slot = 0; slot < caches.Length; slot++)
        {
            // A row of zeros: whatever scale the kernel takes for all rows together, this one does not widen it.
            if (_loaded[slot] is null)
            {
                _evenRows.Slice<float>((long)slot * _arrays.Text.Hidden, _arrays.Text.Hidden).Clear();
                for (int numbering = 0; numbering <= _numberings[^1]; numbering++)
                {
                    ((long*)_positions.Pointer)[(numbering * _arrays.Sequences) + slot] = 0;
                }
            }

            for (int layer = 0; layer < _layers.Length; layer++)
            {
                if (_loaded[slot] is null)
                {
                    caches[slot].AnnounceUnread(layer);
                }
                else
                {
                    caches[slot].Announce(layer, 1);
                }
            }
        }
    }

    // Only when another number of slots takes part: native calls, no managed allocation. A binding keeps its tensors, so ours are released at once.
    private void Bind(int sequences)
    {
        if (sequences == _bound)
        {
            return;
        }

        _bound = 0;
        TextGeometry text = _arrays.Text;
        nuint rowBytes = (nuint)sequences * (nuint)text.Hidden * sizeof(float);
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            LayerBinding binding = _layers[layer];
            bool even = layer % 2 == 0;
            nint positions = (nint)((long*)_positions.Pointer + ((long)_numberings[layer] * _arrays.Sequences));
            Input(binding, "x\0"u8, (even ? _evenRows : _oddRows).Pointer, rowBytes, [sequences, 1, text.Hidden], OrtElementType.Float);
            Input(binding, "positions\0"u8, positions, (nuint)sequences * sizeof(long), [sequences, 1], OrtElementType.Int64);
            Output(binding, "y\0"u8, (even ? _oddRows : _evenRows).Pointer, rowBytes, [sequences, 1, text.Hidden]);

            nuint cacheBytes = (nuint)sequences * _arrays.Bytes(layer);
            ReadOnlySpan<long> cacheShape = [sequences, text.KeyValueHeads, _arrays.Rows(layer), text.HeadDim];
            Input(binding, "past_key\0"u8, _arrays.Keys(layer, 0), cacheBytes, cacheShape, OrtElementType.Float);
            Input(binding, "past_value\0"u8, _arrays.Values(layer, 0), cacheBytes, cacheShape, OrtElementType.Float);
            Input(binding, "seqlens_k\0"u8, _arrays.LastRow(layer, 0), (nuint)sequences * sizeof(int), [sequences], OrtElementType.Int32);
            Input(binding, "total\0"u8, _arrays.Capacity(layer), sizeof(int), [1], OrtElementType.Int32);
            Output(binding, "present_key\0"u8, _arrays.Keys(layer, 0), cacheBytes, cacheShape);
            Output(binding, "present_value\0"u8, _arrays.Values(layer, 0), cacheBytes, cacheShape);
        }

        nint last = (_layers.Length % 2 == 0 ? _evenRows : _oddRows).Pointer;
        Input(_head, "x\0"u8, last, rowBytes, [sequences, 1, text.Hidden], OrtElementType.Float);
        Input(_head, "row\0"u8, _row.Pointer, sizeof(long), [1], OrtElementType.Int64);
        Output(_head, "logits\0"u8, _logits.Of(0), (nuint)sequences * (nuint)text.Vocabulary * sizeof(float), [sequences, 1, text.Vocabulary]);
        _bound = sequences;
    }

    private static void Input(LayerBinding binding, ReadOnlySpan<byte> name, nint data, nuint bytes, ReadOnlySpan<long> shape, OrtElementType type)
    {
        nint tensor = OrtRaw.CreateTensor(data, bytes, shape, type);
        try
        {
            binding.BindInput(name, tensor);
        }
        finally
        {
            OrtRaw.ReleaseValue(tensor);
        }
    }

    private static void Output(LayerBinding binding, ReadOnlySpan<byte> name, nint data, nuint bytes, ReadOnlySpan<long> shape)
    {
        nint tensor = OrtRaw.CreateTensor(data, bytes, shape, OrtElementType.Float);
        try
        {
            binding.BindOutput(name, tensor);
        }
        finally
        {
            OrtRaw.ReleaseValue(tensor);
        }
    }
}
