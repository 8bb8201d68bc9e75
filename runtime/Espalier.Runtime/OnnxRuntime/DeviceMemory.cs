using System.Runtime.InteropServices;
using Espalier.Graphs;

namespace Espalier.OnnxRuntime;

/// <summary>The memory of the device that sessions run on: where tensors are allocated, and the only way between it and the host's.</summary>
/// <remarks>On the CPU both are the same and nothing is ever copied. Copies are counted, so that a test can hold a pass to what it has to move. Thread-safe.</remarks>
internal sealed unsafe class DeviceMemory : IDisposable
{
    private readonly OrtSession? _session;
    private readonly OrtAllocator? _allocator;
    private readonly nint _info;
    private long _toDevice;
    private long _toHost;

    private DeviceMemory()
    {
    }

    private DeviceMemory(OrtSession session, nint info)
    {
        _session = session;
        _info = info;
        _allocator = OrtAllocator.Create(session, info);
    }

    /// <summary>The host's own memory.</summary>
    public static DeviceMemory Host { get; } = new();

    /// <summary>True if the host can touch it.</summary>
    public bool IsHost => _allocator is null;

    /// <summary>Bytes that were copied from the host to the device.</summary>
    public long BytesToDevice => Interlocked.Read(ref _toDevice);

    /// <summary>Bytes that were copied from the device to the host.</summary>
    public long BytesToHost => Interlocked.Read(ref _toHost);

    /// <summary>ONNX Runtime's name of the memory, such as <c>WebGPU_Buf</c>.</summary>
    public string Name => IsHost ? "Cpu" : OrtMemoryInfo.NameOf(_info);

    /// <summary>The memory of a device.</summary>
    /// <param name="provider">The device.</param>
    /// <exception cref="ExecutionProviderNotAvailableException">The device cannot be used.</exception>
    public static DeviceMemory Open(ExecutionProvider provider)
    {
        if (provider.UsesHostMemory)
        {
            return Host;
        }

        // The smallest graph there is: what it reads lies where every graph of the device reads.
        GraphModel graph = RowGraphs.Gather(width: 4);
        _ = OrtEnvironment.Shared;
        using OrtSessionOptions options = OrtSessionOptions.Create(provider);
        OrtSession session = OrtSession.Create(graph.Bytes, options);
        try
        {
            return new DeviceMemory(session, session.InputMemory()[0]);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Allocates memory of the device; not for the host's.</summary>
    /// <exception cref="DeviceMemoryException">There is not that much.</exception>
    public DeviceBuffer Allocate(nuint bytes) => DeviceBuffer.Allocate(_allocator!, bytes);

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

    /// <summary>Copies the first bytes of a buffer of the host to the first of one of the device.</summary>
    public void Upload(NativeBuffer source, DeviceBuffer destination, nuint bytes)
    {
        Copy(source.Pointer, destination, bytes, toDevice: true);
        Interlocked.Add(ref _toDevice, (long)bytes);
    }

    /// <summary>The same from any memory of the host.</summary>
    public void Upload(nint source, DeviceBuffer destination, nuint bytes)
    {
        Copy(source, destination, bytes, toDevice: true);
        Interlocked.Add(ref _toDevice, (long)bytes);
    }

    /// <summary>Copies the first bytes of a buffer of the device to the first of one of the host, and waits for what the device has still to do.</summary>
    public void Download(DeviceBuffer source, NativeBuffer destination, nuint bytes)
    {
        Copy(destination.Pointer, source, bytes, toDevice: false);
        Interlocked.Add(ref _toHost, (long)bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Buffers that are still in use keep both open.
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
            nint source = toDevice ? hostTensor : deviceTensor;
            nint destination = toDevice ? deviceTensor : hostTensor;
            lock (DeviceGate.Gate)
            {
                OrtStatus.Check(OrtApi.Current.CopyTensors(OrtEnvironment.Shared.DangerousGetHandle(), &source, &destination, 0, 1), "copy between host and device");
            }
        }
        finally
        {
            OrtRaw.ReleaseValue(hostTensor);
            OrtRaw.ReleaseValue(deviceTensor);
        }
    }
}

/// <summary>Held by whoever runs something on a device that takes one caller at a time.</summary>
internal static class DeviceGate
{
    /// <summary>The lock.</summary>
    public static readonly Lock Gate = new();
}
