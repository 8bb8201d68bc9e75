using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>A device tensor of one shape for its whole life.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class DeviceTensor : IDisposable
{
    private readonly TensorMemory _memory;
    private readonly HeldTensor _tensor;
    private readonly nuint _bytes;
    private readonly int _count;
    private bool _isBehind;

    public DeviceTensor(DeviceMemory device, ReadOnlySpan<long> shape, OrtElementType type = OrtElementType.Float)
    {
        _bytes = type.Bytes(shape);
        _count = (int)(_bytes / (nuint)type.Size());
        _memory = new TensorMemory(device, _bytes, type);
        _tensor = new HeldTensor(_memory.CreateTensor(_bytes, shape, type));
    }

    /// <summary>The ONNX Runtime tensor. Owned by this object.</summary>
    public nint Value => _tensor.Value;

    /// <summary>Bytes of the tensor.</summary>
    public long ByteLength => (long)_bytes;

    /// <summary>The elements for the host to write, floats for those of 16 bits, who calls <see cref="Upload"/> behind that.</summary>
    public Span<T> Span<T>()
        where T : unmanaged => _memory.Span<T>(_count);

    /// <summary>The elements as the last run left them; copied from the device if the host has not got them since.</summary>
    public ReadOnlySpan<T> Read<T>()
        where T : unmanaged
    {
        if (_isBehind)
        {
            _memory.Download(_bytes);
            _isBehind = false;
        }

        return Span<T>();
    }

    /// <summary>Hands what the host has written to the device.</summary>
    public void Upload() => _memory.Upload(_bytes);

    /// <summary>Says that a run has written the tensor.</summary>
    public void MarkWritten() => _isBehind = _memory.IsRemote;

    /// <inheritdoc/>
    public void Dispose()
    {
        _tensor.Dispose();
        _memory.Dispose();
    }
}
