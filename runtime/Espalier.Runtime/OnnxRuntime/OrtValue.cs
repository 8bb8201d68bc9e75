using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>
/// A tensor over memory that it does not own but holds open. The memory lives as long as the value. ONNX Runtime also
/// lets a binding keep the tensor after the value is disposed; the binding does not hold the memory open: dispose the
/// value after the binding, or clear or rebind the binding first.
/// </summary>
internal sealed unsafe class OrtValue : OrtHandle
{
    private OrtValue(nint native, nuint bytes, ReadOnlySpan<SafeHandle> parents)
        : base(native, parents)
    {
        ByteLength = bytes;
    }

    /// <summary>The bytes of the tensor.</summary>
    public nuint ByteLength { get; }

    /// <summary>Creates a tensor over memory that <paramref name="owner"/> owns, for example the mapping of a checkpoint.</summary>
    /// <param name="owner">Held open as long as the value lives; null if the caller sees to that.</param>
    /// <param name="data">The first element; not null. Alignment is not needed on x64.</param>
    /// <param name="bytes">The bytes there are.</param>
    /// <param name="shape">The dimensions.</param>
    /// <param name="type">The type of the elements.</param>
    /// <param name="memory">Where the memory lies; null for the host.</param>
    /// <exception cref="ArgumentException">The memory is smaller than the shape.</exception>
    public static OrtValue Over(SafeHandle? owner, nint data, nuint bytes, ReadOnlySpan<long> shape, OrtElementType type, OrtMemoryInfo? memory = null)
    {
        ArgumentNullException.ThrowIfNull((void*)data);
        nuint needed = type.Bytes(shape);
        if (needed > bytes)
        {
            throw new ArgumentException($"A {type} tensor of shape [{string.Join(", ", shape.ToArray())}] needs {needed} bytes; the memory has {bytes}.", nameof(bytes));
        }

        memory ??= OrtMemoryInfo.Cpu;
        using var ownerLease = new HandleLease(owner);
        using var memoryLease = new HandleLease(memory);
        nint native = OrtRaw.CreateTensor(data, needed, shape, type, memoryLease.Pointer);
        return new OrtValue(native, needed, owner is null ? [memory] : [memory, owner]);
    }

    /// <summary>Creates a tensor over the start of a buffer.</summary>
    /// <exception cref="ArgumentException">The buffer is smaller than the shape.</exception>
    public static OrtValue Over(NativeBuffer buffer, ReadOnlySpan<long> shape, OrtElementType type) =>
        Over(buffer, buffer.Pointer, buffer.ByteLength, shape, type);

    /// <summary>Creates a tensor over the start of a buffer of a device, which it holds open.</summary>
    public static OrtValue Over(DeviceMemory memory, DeviceBuffer buffer, ReadOnlySpan<long> shape, OrtElementType type)
    {
        nuint bytes = type.Bytes(shape);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, buffer.ByteLength);
        return new OrtValue(memory.CreateTensor(buffer, bytes, shape, type), bytes, [buffer]);
    }

    /// <summary>Creates a tensor with host memory of its own, zeroed and aligned to 64 bytes.</summary>
    public static OrtValue Allocate(ReadOnlySpan<long> shape, OrtElementType type)
    {
        // Disposed here: from now on only the value holds the buffer open.
        using var buffer = NativeBuffer.Allocate(type.Bytes(shape));
        return Over(buffer, shape, type);
    }

    /// <summary>The elements; only of a tensor in host memory.</summary>
    /// <remarks>Not tracked: do not use it after the value is disposed.</remarks>
    public Span<T> AsSpan<T>()
        where T : unmanaged => new((void*)DataPointer, checked((int)(ByteLength / (nuint)sizeof(T))));

    /// <summary>The address of the first element, on the device where the tensor lies.</summary>
    public nint DataPointer
    {
        get
        {
            using var lease = new HandleLease(this);
            void* data;
            OrtStatus.Check(OrtApi.Current.GetTensorMutableData(lease.Pointer, &data), "get the data of a tensor");
            return (nint)data;
        }
    }

    /// <summary>The dimensions.</summary>
    public long[] Shape
    {
        get
        {
            using var lease = new HandleLease(this);
            int type;
            long* dimensions;
            nuint rank;
            OrtStatus.Check(OrtApi.Current.GetTensorElementTypeAndShapeDataReference(lease.Pointer, &type, &dimensions, &rank), "get the shape of a tensor");
            return new ReadOnlySpan<long>(dimensions, (int)rank).ToArray();
        }
    }

    private protected override void Release(OrtApi api, nint native) => api.ReleaseValue(native);
}
