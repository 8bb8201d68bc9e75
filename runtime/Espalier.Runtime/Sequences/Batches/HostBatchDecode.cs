using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>Decode steps of a batch in the memory of the host, where the caches of all sequences of a layer are one tensor: the sessions that single sequences decode with run over it.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed unsafe class HostBatchDecode : BatchDecode
{
    private readonly KeyValueArrays _arrays;
    private readonly BatchLogits _logits;
    private readonly LayerBinding[] _layers;
    private readonly LayerBinding _head;
    private readonly NativeBuffer _evenRows;
    private readonly NativeBuffer _oddRows;
    private readonly NativeBuffer _positions;
    private readonly NativeBuffer _row = NativeBuffer.Allocate<long>(1);
    private int _bound;

    /// <summary>Binds nothing yet: the first step does.</summary>
    public HostBatchDecode(ModelSessions sessions, KeyValueArrays arrays, BatchLogits logits)
        : base(sessions, arrays.Sequences)
    {
        _arrays = arrays;
        _logits = logits;
        _layers = [.. Enumerable.Range(0, Text.Layers).Select(layer => new LayerBinding(sessions.Decode(layer)))];
        _head = new LayerBinding(sessions.Head);
        _evenRows = NativeBuffer.Allocate<float>((long)Slots * Text.Hidden);
        _oddRows = NativeBuffer.Allocate<float>((long)Slots * Text.Hidden);
        _positions = NativeBuffer.Allocate<long>((long)Slots * (Numberings[^1] + 1));
    }

    /// <inheritdoc/>
    public override void Dispose()
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

    /// <inheritdoc/>
    protected override Span<float> Row(int slot) => _evenRows.Slice<float>((long)slot * Text.Hidden, Text.Hidden);

    /// <inheritdoc/>
    protected override Span<long> Positions(int numbering) => _positions.Slice<long>((long)numbering * Slots, Slots);

    /// <inheritdoc/>
    protected override void RunLayers(ReadOnlySpan<KeyValueCache> caches, CancellationToken cancellationToken)
    {
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Announce(layer, caches);
            _layers[layer].Run();
        }

        _head.Run();
    }

    // Only when another number of slots takes part: native calls, no managed allocation. A binding keeps its tensors, so ours are released at once.

    /// <inheritdoc/>
    protected override int Bind(int sequences, ReadOnlySpan<KeyValueCache> caches)
    {
        if (sequences == _bound)
        {
            return sequences;
        }

        _bound = 0;
        nuint rowBytes = (nuint)sequences * (nuint)Text.Hidden * sizeof(float);
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            LayerBinding binding = _layers[layer];
            bool even = layer % 2 == 0;
            nint positions = (nint)((long*)_positions.Pointer + ((long)Numberings[layer] * Slots));
            Input(binding, "x\0"u8, (even ? _evenRows : _oddRows).Pointer, rowBytes, [sequences, 1, Text.Hidden], OrtElementType.Float);
            Input(binding, "positions\0"u8, positions, (nuint)sequences * sizeof(long), [sequences, 1], OrtElementType.Int64);
            Output(binding, "y\0"u8, (even ? _oddRows : _evenRows).Pointer, rowBytes, [sequences, 1, Text.Hidden]);

            nuint cacheBytes = (nuint)sequences * _arrays.Bytes(layer);
            ReadOnlySpan<long> cacheShape = [sequences, Text.KeyValueHeads, _arrays.Rows(layer), Text.HeadDim];
            Input(binding, "past_key\0"u8, _arrays.Keys(layer, 0), cacheBytes, cacheShape, OrtElementType.Float);
            Input(binding, "past_value\0"u8, _arrays.Values(layer, 0), cacheBytes, cacheShape, OrtElementType.Float);
            Input(binding, "seqlens_k\0"u8, _arrays.LastRow(layer, 0), (nuint)sequences * sizeof(int), [sequences], OrtElementType.Int32);
            Input(binding, "total\0"u8, _arrays.Capacity(layer), sizeof(int), [1], OrtElementType.Int32);
            Output(binding, "present_key\0"u8, _arrays.Keys(layer, 0), cacheBytes, cacheShape);
            Output(binding, "present_value\0"u8, _arrays.Values(layer, 0), cacheBytes, cacheShape);
        }

        nint last = (_layers.Length % 2 == 0 ? _evenRows : _oddRows).Pointer;
        Input(_head, "x\0"u8, last, rowBytes, [sequences, 1, Text.Hidden], OrtElementType.Float);
        Input(_head, "row\0"u8, _row.Pointer, sizeof(long), [1], OrtElementType.Int64);
        Output(_head, "logits\0"u8, _logits.Of(0), (nuint)sequences * (nuint)Text.Vocabulary * sizeof(float), [sequences, 1, Text.Vocabulary]);
        return _bound = sequences;
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
