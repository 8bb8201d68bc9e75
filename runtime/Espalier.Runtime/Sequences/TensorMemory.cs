using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The memory of a tensor that sessions read and write on their device, and beside it, where the device's memory is not the host's, what the host has of it.</summary>
/// <remarks>
/// <para>On the CPU the span of the host is the memory of the device: <see cref="Upload"/> and <see cref="Download"/> do nothing. Elsewhere the host's memory exists from its first use on, so that rows which never leave the device have none.</para>
/// <para>Grows and never shrinks; content is gone when it grows. Not thread-safe.</para>
/// </remarks>
internal sealed unsafe class TensorMemory : IDisposable
{
    private readonly DeviceMemory _device;
    private NativeBuffer? _host;
    private DeviceBuffer? _buffer;

    public TensorMemory(DeviceMemory device, nuint bytes)
    {
        _device = device;
        Allocate(bytes);
    }

    /// <summary>Bytes that fit.</summary>
    public nuint ByteLength { get; private set; }

    /// <summary>True if the host has to copy before it reads and after it writes.</summary>
    public bool IsRemote => _buffer is not null;

    /// <summary>The first elements as the host has them.</summary>
    public Span<T> Span<T>(int count)
        where T : unmanaged
    {
        NativeBuffer host = _host ??= NativeBuffer.Allocate(ByteLength);
        return new Span<T>((void*)host.Pointer, count);
    }

    /// <summary>Sees to it that so many bytes fit.</summary>
    /// <returns>False if they did already; true if memory, content and all tensors over it are gone.</returns>
    public bool Reserve(nuint bytes)
    {
        if (bytes <= ByteLength)
        {
            return false;
        }

        Dispose();
        Allocate(bytes);
        return true;
    }

    /// <summary>Creates a tensor over the first bytes. The caller releases it by <see cref="OrtRaw.ReleaseValue"/>, before the memory grows.</summary>
    public nint CreateTensor(nuint bytes, ReadOnlySpan<long> shape, OrtElementType type) => _buffer is null
        ? OrtRaw.CreateTensor(_host!.Pointer, bytes, shape, type)
        : _device.CreateTensor(_buffer, bytes, shape, type);

    /// <summary>Copies what the host has written to the device.</summary>
    public void Upload(nuint bytes)
    {
        if (_buffer is not null)
        {
            _device.Upload(_host!, _buffer, bytes);
        }
    }

    /// <summary>Copies what a session has written to the host.</summary>
    public void Download(nuint bytes)
    {
        if (_buffer is not null)
        {
            _device.Download(_buffer, _host ??= NativeBuffer.Allocate(ByteLength), bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _host?.Dispose();
        _buffer?.Dispose();
        _host = null;
        _buffer = null;
    }

    private void Allocate(nuint bytes)
    {
        if (_device.IsHost)
        {
            _host = NativeBuffer.Allocate(bytes);
        }
        else
        {
            _buffer = _device.Allocate(bytes);
        }

        ByteLength = bytes;
    }
}
