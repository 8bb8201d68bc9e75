using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Decode steps of a batch on a device, where each sequence has a cache of its own: the rows of all slots go through a layer together, and through its attention one by one.</summary>
/// <remarks>A step takes up the rows of all slots and their positions at once and the lengths of the caches, each where it changes from layer to layer, and brings down the logits. Not thread-safe.</remarks>
internal sealed class DeviceBatchDecode : BatchDecode
{
    private readonly BatchLogits _logits;
    private readonly LayerBinding[] _layers;
    private readonly LayerBinding _head;
    private readonly DeviceTensor _evenRows;
    private readonly DeviceTensor _oddRows;
    private readonly DeviceTensor[] _positions;
    private readonly DeviceTensor _row;
    private readonly DeviceTensor _headLogits;
    private bool _bound;

    /// <summary>Builds the sessions for so many slots, if no batch had as many. Binds nothing yet: the first step does.</summary>
    public DeviceBatchDecode(ModelSessions sessions, int slots, BatchLogits logits)
        : base(sessions, slots)
    {
        DeviceMemory memory = sessions.Memory;
        _logits = logits;
        _layers = [.. Enumerable.Range(0, Text.Layers).Select(layer => new LayerBinding(sessions.Together(layer, slots)))];
        _head = new LayerBinding(sessions.Head);
        _evenRows = new DeviceTensor(memory, [slots, 1, Text.Hidden]);
        _oddRows = new DeviceTensor(memory, [slots, 1, Text.Hidden]);
        _positions = [.. Enumerable.Range(0, Numberings[^1] + 1).Select(_ => new DeviceTensor(memory, [slots, 1], OrtElementType.Int64))];
        _row = new DeviceTensor(memory, [1], OrtElementType.Int64);
        _row.Span<long>()[0] = 0;
        _row.Upload();
        _headLogits = new DeviceTensor(memory, [slots, 1, Text.Vocabulary]);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (LayerBinding layer in _layers)
        {
            layer.Dispose();
        }

        _head.Dispose();
        foreach (DeviceTensor tensor in (ReadOnlySpan<DeviceTensor>)[_evenRows, _oddRows, _row, _headLogits, .. _positions])
        {
            tensor.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override Span<float> Row(int slot) => _evenRows.Span<float>().Slice(slot * Text.Hidden, Text.Hidden);

    /// <inheritdoc/>
    protected override Span<long> Positions(int numbering) => _positions[numbering].Span<long>();

    /// <inheritdoc/>
    protected override int Bind(int sequences, ReadOnlySpan<KeyValueCache> caches)
    {
        if (_bound)
        {
            return Slots;
        }

        for (int layer = 0; layer < _layers.Length; layer++)
        {
            LayerBinding binding = _layers[layer];
            bool even = layer % 2 == 0;
            binding.BindInput("x\0"u8, (even ? _evenRows : _oddRows).Value);
            binding.BindInput("positions\0"u8, _positions[Numberings[layer]].Value);
            binding.BindOutput("y\0"u8, (even ? _oddRows : _evenRows).Value);
            for (int slot = 0; slot < Slots; slot++)
            {
                caches[slot].BindAmong(binding.Binding, layer, slot);
            }
        }

        _head.BindInput("x\0"u8, (_layers.Length % 2 == 0 ? _evenRows : _oddRows).Value);
        _head.BindInput("row\0"u8, _row.Value);
        _head.BindOutput("logits\0"u8, _headLogits.Value);
        _bound = true;
        return Slots;
    }

    /// <inheritdoc/>
    protected override void RunLayers(ReadOnlySpan<KeyValueCache> caches, CancellationToken cancellationToken)
    {
        _evenRows.Upload();
        foreach (DeviceTensor positions in _positions)
        {
            positions.Upload();
        }

        for (int layer = 0; layer < _layers.Length; layer++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Announce(layer, caches);
            _layers[layer].Run();
        }

        _head.Run();
        _headLogits.MarkWritten();
        _headLogits.Read<float>().CopyTo(_logits.All);
    }
}
