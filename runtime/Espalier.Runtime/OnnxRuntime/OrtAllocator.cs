using System.Globalization;
using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>Hands out memory of the device that a session runs on. It keeps that session alive. Thread-safe.</summary>
internal sealed unsafe class OrtAllocator : OrtHandle
{
    private OrtAllocator(nint native, OrtSession session)
        : base(native, session)
    {
    }

    /// <summary>Creates an allocator.</summary>
    /// <param name="session">A session of the device.</param>
    /// <param name="memory">The <c>OrtMemoryInfo*</c> of the memory that it is to hand out.</param>
    public static OrtAllocator Create(OrtSession session, nint memory)
    {
        using var lease = new HandleLease(session);
        nint native;
        OrtStatus.Check(OrtApi.Current.CreateAllocator(lease.Pointer, memory, &native), "create an allocator");
        return new OrtAllocator(native, session);
    }

    /// <summary>Creates an allocator of memory of the host that a device has pinned.</summary>
    /// <param name="session">A session of the device.</param>
    /// <param name="name">ONNX Runtime's name of that memory.</param>
    public static OrtAllocator CreatePinned(OrtSession session, string name)
    {
        // OrtMemTypeCPUOutput: written by the device, read by the host.
        const int CpuOutput = -1;
        OrtApi api = OrtApi.Current;
        byte* nameZ = (byte*)Marshal.StringToCoTaskMemUTF8(name);
        nint memory = 0;
        try
        {
            OrtStatus.Check(api.CreateMemoryInfo(nameZ, (int)OrtAllocatorType.Device, 0, CpuOutput, &memory), "describe pinned memory");
            return Create(session, memory);
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)nameZ);
            if (memory != 0)
            {
                api.ReleaseMemoryInfo(memory);
            }
        }
    }

    /// <summary>What the allocator counts, such as <c>InUse</c> in bytes; null for what it does not count.</summary>
    /// <param name="keyZ">The count, UTF-8, with a zero at its end.</param>
    public long? Count(ReadOnlySpan<byte> keyZ)
    {
        OrtRaw.RequireZero(keyZ);
        OrtApi api = OrtApi.Current;
        using var lease = new HandleLease(this);
        nint counts;
        OrtStatus.Check(api.AllocatorGetStats(lease.Pointer, &counts), "read what an allocator counts");
        try
        {
            fixed (byte* key = keyZ)
            {
                return long.TryParse(Marshal.PtrToStringUTF8((nint)api.GetKeyValue(counts, key)), CultureInfo.InvariantCulture, out long count) ? count : null;
            }
        }
        finally
        {
            api.ReleaseKeyValuePairs(counts);
        }
    }

    private protected override void Release(OrtApi api, nint native) => api.ReleaseAllocator(native);
}

/// <summary>Memory of a device, which the host cannot touch. It keeps the allocator that it came from alive.</summary>
internal sealed unsafe class DeviceBuffer : OrtHandle
{
    // A device gives no address for nothing.
    private const nuint Smallest = 16;

    private readonly OrtAllocator _allocator;

    private DeviceBuffer(nint native, OrtAllocator allocator, nuint bytes)
        : base(native, allocator)
    {
        _allocator = allocator;
        ByteLength = bytes;
    }

    /// <summary>The size that was asked for, in bytes.</summary>
    public nuint ByteLength { get; }

    /// <summary>What the device knows the memory by: an address in CUDA, a handle in WebGPU, to which nothing can be added.</summary>
    /// <exception cref="ObjectDisposedException">The buffer was disposed.</exception>
    public nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    /// <summary>Allocates bytes.</summary>
    /// <exception cref="DeviceMemoryException">The device has not that much memory.</exception>
    public static DeviceBuffer Allocate(OrtAllocator allocator, nuint bytes)
    {
        using var lease = new HandleLease(allocator);
        void* memory;
        nint status;
        lock (DeviceGate.Gate)
        {
            status = OrtApi.Current.AllocatorAlloc(lease.Pointer, Math.Max(bytes, Smallest), &memory);
        }

        if (status != 0 || memory is null)
        {
            throw new DeviceMemoryException(bytes, status == 0 ? null : OrtStatus.Read(status, "allocate memory of the device"));
        }

        return new DeviceBuffer((nint)memory, allocator, bytes);
    }

    // A failure to free cannot be told to anybody here.
    private protected override void Release(OrtApi api, nint native)
    {
        lock (DeviceGate.Gate)
        {
            nint status = api.AllocatorFree(_allocator.DangerousGetHandle(), (void*)native);
            if (status != 0)
            {
                api.ReleaseStatus(status);
            }
        }
    }
}
