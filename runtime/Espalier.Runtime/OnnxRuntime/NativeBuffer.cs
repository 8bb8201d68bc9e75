using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>
/// Zeroed native memory, aligned to a cache line (64 bytes), that lives until it is disposed and nothing refers to it
/// any more. Tensors over it and other users hold it open through <see cref="SafeHandle.DangerousAddRef"/>.
/// Spans over it are not tracked: they must not be used after <see cref="SafeHandle.Dispose()"/>.
/// </summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    /// <summary>The alignment of every buffer, in bytes.</summary>
    public const int Alignment = 64;

    private NativeBuffer(nuint byteLength)
        : base(0, ownsHandle: true)
    {
        // At least one line, so that an empty buffer has an address too: ONNX Runtime takes no null pointers.
        nuint allocated = checked(Math.Max(byteLength, 1) + (Alignment - 1)) & ~(nuint)(Alignment - 1);
        void* memory = NativeMemory.AlignedAlloc(allocated, Alignment);
        NativeMemory.Clear(memory, allocated);
        ByteLength = byteLength;
        SetHandle((nint)memory);
        GC.KeepAlive(this);
    }

    /// <summary>The size that was asked for, in bytes.</summary>
    public nuint ByteLength { get; }

    /// <summary>The address of the first byte.</summary>
    /// <exception cref="ObjectDisposedException">The buffer was disposed.</exception>
    public nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Allocates bytes.</summary>
    /// <exception cref="OutOfMemoryException">There is not that much memory.</exception>
    public static NativeBuffer Allocate(nuint bytes) => new(bytes);

    /// <summary>Allocates elements.</summary>
    /// <exception cref="OverflowException">The size does not fit.</exception>
    /// <exception cref="OutOfMemoryException">There is not that much memory.</exception>
    public static NativeBuffer Allocate<T>(long count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return new NativeBuffer(checked((nuint)count * (nuint)sizeof(T)));
    }

    /// <summary>The whole buffer. Elements that do not fit are left out.</summary>
    /// <exception cref="OverflowException">There are more than two billion elements; use <see cref="Slice{T}"/>.</exception>
    public Span<T> AsSpan<T>()
        where T : unmanaged => new((void*)Pointer, checked((int)(ByteLength / (nuint)sizeof(T))));

    /// <summary>A part of the buffer.</summary>
    /// <param name="start">The first element.</param>
    /// <param name="count">The number of elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part is not inside the buffer.</exception>
    public Span<T> Slice<T>(long start, int count)
        where T : unmanaged
    {
        nuint elements = ByteLength / (nuint)sizeof(T);
        if (start < 0 || count < 0 || (ulong)start > elements || (ulong)count > elements - (ulong)start)
        {
            ThrowOutOfRange(start, count, elements);
        }

        return new Span<T>((T*)Pointer + start, count);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowOutOfRange(long start, int count, nuint elements) =>
        throw new ArgumentOutOfRangeException(nameof(start), $"Elements {start} to {start + count} are not inside a buffer of {elements} elements.");
}
