namespace Espalier.OnnxRuntime;

/// <summary>The memory of the device that sessions run on: where tensors are allocated, and the only way between it and the host's.</summary>
/// <remarks>On the CPU both are the same and nothing is ever copied. Copies are counted, so that a test can hold a pass to what it has to move. Thread-safe.</remarks>
internal sealed unsafe class DeviceMemory : IDisposable
{
    private readonly OrtSession? _session;
    private readonly OrtAllocator? _allocator;
    private readonly OrtAllocator? _pinned;
    private readonly DeviceCopies? _copies;
    private readonly nint _info;
    private long _toDevice;
    private long _toHost;
    private long _fence;
    private long _waits;

    private DeviceMemory()
    {
    }

    private DeviceMemory(OrtSession session, nint info, ExecutionProvider provider)
    {
        _session = session;
        _info = info;
        _allocator = OrtAllocator.Create(session, info);
        try
        {
            _pinned = provider.PinnedMemory is { } name ? OrtAllocator.CreatePinned(session, name) : null;
            _copies = provider.OpenCopies(session, _allocator, info);
        }
        catch
        {
            _pinned?.Dispose();
            _allocator.Dispose();
            throw;
        }
    }

    /// <summary>The host's own memory.</summary>
    public static DeviceMemory Host { get; } = new();

    /// <summary>True if the host can touch it.</summary>
    public bool IsHost => _allocator is null;

    /// <summary>True if ONNX Runtime tells it from the host's.</summary>
    public bool IsApart => !IsHost && !OrtMemoryInfo.IsHost(_info);

    /// <summary>Bytes that were copied from the host to the device.</summary>
    public long BytesToDevice => Interlocked.Read(ref _toDevice);

    /// <summary>Bytes that were copied from the device to the host.</summary>
    public long BytesToHost => Interlocked.Read(ref _toHost);

    /// <summary>How often the host has waited for the device.</summary>
    public long Waits => Interlocked.Read(ref _waits);

    /// <summary>Grows when all copies to the device that were begun before have ended.</summary>
    public long Fence => Interlocked.Read(ref _fence);

    /// <summary>Bytes of the device that buffers of this object take, as its allocator counts them; null if it does not.</summary>
    public long? BytesInUse => _allocator?.Count("InUse\0"u8);

    /// <summary>ONNX Runtime's name of the memory, such as <c>WebGPU_Buf</c>.</summary>
    public string Name => IsHost ? "Cpu" : OrtMemoryInfo.NameOf(_info);

    /// <summary>The memory of a device that is not the host's.</summary>
    /// <param name="provider">The device.</param>
    /// <param name="graph">A model that gathers rows of four numbers, <c>x</c> into <c>y</c>: what it reads lies where every graph of the device reads. It is not run.</param>
    /// <exception cref="ExecutionProviderNotAvailableException">The device cannot be used.</exception>
    public static DeviceMemory Open(ExecutionProvider provider, ReadOnlySpan<byte> graph)
    {
        _ = OrtEnvironment.Shared;
        using OrtSessionOptions options = OrtSessionOptions.Create(provider);
        OrtSession? session = null;
        try
        {
            session = OrtSession.Create(graph, options);
            return new DeviceMemory(session, session.InputMemory()[0], provider);
        }
        catch (OrtException failure) when (provider.Explain(failure) is { } explained)
        {
            session?.Dispose();
            throw explained;
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }

    /// <summary>Allocates memory of the device; not for the host's.</summary>
    /// <exception cref="DeviceMemoryException">There is not that much.</exception>
    public DeviceBuffer Allocate(nuint bytes) => DeviceBuffer.Allocate(_allocator!, bytes);

    /// <summary>Allocates memory of the host, pinned if the device wants it so.</summary>
    /// <exception cref="DeviceMemoryException">The device cannot pin so much.</exception>
    /// <exception cref="OutOfMemoryException">The host has not that much.</exception>
    public HostBuffer AllocateHost(nuint bytes) => _pinned is null ? new HostBuffer(NativeBuffer.Allocate(bytes)) : new HostBuffer(DeviceBuffer.Allocate(_pinned, bytes), this);

    /// <summary>Creates a tensor over the start of a buffer of the device.</summary>
    public nint CreateTensor(DeviceBuffer buffer, nuint bytes, ReadOnlySpan<long> shape, OrtElementType type) =>
        OrtRaw.CreateTensor(buffer.Pointer, bytes, shape, type, _info);

    /// <summary>True if a tensor lies in this memory.</summary>
    public bool Holds(nint value)
    {
        nint info;
        OrtStatus.Check(OrtApi.Current.GetTensorMemoryInfo(value, &info), "read where a tensor lies");
        return IsHost ? OrtMemoryInfo.AreEqual(info, OrtMemoryInfo.Cpu.DangerousGetHandle()) : OrtMemoryInfo.AreEqual(info, _info);
    }

    /// <summary>Copies the first bytes of a buffer of the host to the first of one of the device. From a pinned one the copy may go on behind the call; runs that follow wait for it on the device.</summary>
    public void Upload(HostBuffer source, DeviceBuffer destination, nuint bytes)
    {
        Copy(source.Pointer, destination, bytes, toDevice: true);
        if (source.IsPinned)
        {
            source.MarkUploading(Fence);
        }
    }

    /// <summary>The same from any memory of the host, and ended when the call returns. It has its place between the runs, too: what they were asked for before may still write where the destination lies now.</summary>
    public void Upload(nint source, DeviceBuffer destination, nuint bytes)
    {
        Copy(source, destination, bytes, toDevice: true);
        Synchronise();
    }

    /// <summary>Copies the first bytes of a buffer of the device to the first of one of the host, and waits for what the device has still to do.</summary>
    public void Download(DeviceBuffer source, HostBuffer destination, nuint bytes)
    {
        Copy(destination.Pointer, source, bytes, toDevice: false);
        Synchronise();
    }

    /// <summary>Waits for all that the device has still to do.</summary>
    public void Synchronise()
    {
        Interlocked.Increment(ref _waits);
        lock (DeviceGate.Gate)
        {
            // Not while another thread's run is being captured, which a wait would spoil. A copy that begins behind the wait is none of those that have ended.
            _copies!.Wait();
            Interlocked.Increment(ref _fence);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Buffers that are still in use keep both open; behind this wait none of them is being copied.
        try
        {
            if (_copies is not null)
            {
                Synchronise();
            }
        }
        catch (OrtException)
        {
            // A device that is lost copies nothing any more.
        }

        _copies?.Dispose();
        _pinned?.Dispose();
        _allocator?.Dispose();
        _session?.Dispose();
    }

    private void Copy(nint host, DeviceBuffer device, nuint bytes, bool toDevice)
    {
        if (bytes == 0)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, device.ByteLength);
        nint hostTensor = OrtRaw.CreateTensor(host, bytes, [(long)bytes], OrtElementType.UInt8);
        nint deviceTensor = 0;
        try
        {
            deviceTensor = OrtRaw.CreateTensor(device.Pointer, bytes, [(long)bytes], OrtElementType.UInt8, _info);
            lock (DeviceGate.Gate)
            {
                _copies!.Copy(toDevice ? hostTensor : deviceTensor, toDevice ? deviceTensor : hostTensor, bytes);
            }
        }
        finally
        {
            OrtRaw.ReleaseValue(hostTensor);
            OrtRaw.ReleaseValue(deviceTensor);
        }

        Interlocked.Add(ref toDevice ? ref _toDevice : ref _toHost, (long)bytes);
    }
}

/// <summary>Held by whoever runs something on a device that takes one caller at a time, or allocates, or builds a session: none of that may happen while a run is being captured, on whatever thread.</summary>
internal static class DeviceGate
{
    /// <summary>The lock.</summary>
    public static readonly Lock Gate = new();
}
