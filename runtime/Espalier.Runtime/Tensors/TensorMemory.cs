using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The memory of a tensor that sessions read and write on their device, and beside it, where the device's memory is not the host's or holds 16 bits an element, what the host has of it.</summary>
/// <remarks>
/// <para>In single precision on the CPU the span of the host is the memory of the device: <see cref="Upload"/> and <see cref="Download"/> do nothing. Elsewhere the host's memory exists from its first use on, so that rows which never leave the device have none.</para>
/// <para>The host sees floats, whatever the device has: they are rounded on the way up, and widened on the way down. Sizes are those of the device.</para>
/// <para>Grows and never shrinks; content is gone when it grows. Not thread-safe.</para>
/// </remarks>
internal sealed unsafe class TensorMemory : IDisposable
{
    private readonly DeviceMemory _device;
    private readonly OrtElementType _type;
    private HostBuffer? _host;
    private NativeBuffer? _floats;
    private DeviceBuffer? _buffer;

    /// <summary>Allocates.</summary>
    /// <param name="device">Where sessions read and write.</param>
    /// <param name="bytes">Bytes there.</param>
    /// <param name="type">What they are; only asked whether it has 16 bits.</param>
    public TensorMemory(DeviceMemory device, nuint bytes, OrtElementType type = OrtElementType.Float)
    {
        _device = device;
        _type = type;
        Allocate(bytes);
    }

    /// <summary>Bytes that fit.</summary>
    public nuint ByteLength { get; private set; }

    /// <summary>True if the host has to copy before it reads and after it writes.</summary>
    public bool IsRemote => _buffer is not null || IsHalf;

    private bool IsHalf => _type is OrtElementType.Float16 or OrtElementType.BFloat16;

    /// <summary>The first elements as the host has them.</summary>
    public Span<T> Span<T>(int count)
        where T : unmanaged
    {
        if (IsHalf)
        {
            NativeBuffer floats = _floats ??= NativeBuffer.Allocate(2 * ByteLength);
            return new Span<T>((void*)floats.Pointer, count);
        }

        HostBuffer host = _host ??= _device.AllocateHost(ByteLength);
        host.AwaitUpload(_device);
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

    /// <summary>Hands what the host has written to the device.</summary>
    public void Upload(nuint bytes)
    {
        if (IsHalf)
        {
            int count = (int)(bytes / sizeof(ushort));
            ReadOnlySpan<float> floats = Span<float>(count);
            HostBuffer host = _host ??= _device.AllocateHost(ByteLength);
            host.AwaitUpload(_device);
            HalfConversion.Round(floats, new Span<ushort>((void*)host.Pointer, count), _type);
        }

        if (_buffer is not null)
        {
            _device.Upload(_host!, _buffer, bytes);
        }
    }

    /// <summary>Fetches what a session has written.</summary>
    public void Download(nuint bytes)
    {
        if (_buffer is not null)
        {
            _device.Download(_buffer, _host ??= _device.AllocateHost(ByteLength), bytes);
        }

        if (IsHalf)
        {
            int count = (int)(bytes / sizeof(ushort));
            HalfConversion.Widen(new ReadOnlySpan<ushort>((void*)_host!.Pointer, count), Span<float>(count), _type);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _host?.Dispose();
        _floats?.Dispose();
        _buffer?.Dispose();
        _host = null;
        _floats = null;
        _buffer = null;
    }

    private void Allocate(nuint bytes)
    {
        if (_device.IsHost)
        {
            _host = _device.AllocateHost(bytes);
        }
        else
        {
            _buffer = _device.Allocate(bytes);
        }

        ByteLength = bytes;
    }
}
