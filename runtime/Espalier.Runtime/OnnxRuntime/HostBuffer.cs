using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>Memory of the host that goes to a device and comes back: pinned where the device copies without its pages being moved, else as any other. Zeroed.</summary>
/// <remarks>A copy to the device may still be under way when the call that asked for it returns: whoever writes here again waits for it first. Not thread-safe.</remarks>
internal sealed unsafe class HostBuffer : IDisposable
{
    private readonly NativeBuffer? _own;
    private readonly DeviceBuffer? _pinned;
    private readonly DeviceMemory? _memory;
    private long _uploadedAt = -1;

    /// <summary>Takes ownership of memory.</summary>
    public HostBuffer(NativeBuffer memory) => _own = memory;

    /// <summary>Takes ownership of memory that a device has pinned.</summary>
    /// <param name="pinned">The memory.</param>
    /// <param name="memory">The device that copies from it.</param>
    public HostBuffer(DeviceBuffer pinned, DeviceMemory memory)
    {
        _pinned = pinned;
        _memory = memory;
        NativeMemory.Clear((void*)pinned.Pointer, pinned.ByteLength);
    }

    /// <summary>The address of the first byte.</summary>
    public nint Pointer => _own?.Pointer ?? _pinned!.Pointer;

    /// <summary>True if the device has pinned it.</summary>
    public bool IsPinned => _pinned is not null;

    /// <summary>Notes that a copy to the device has begun.</summary>
    public void MarkUploading(long fence) => _uploadedAt = fence;

    /// <summary>Waits for the last copy to the device, if it could still be reading.</summary>
    public void AwaitUpload(DeviceMemory memory)
    {
        if (_uploadedAt >= 0 && _uploadedAt == memory.Fence)
        {
            memory.Synchronise();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_memory is not null)
        {
            // Whoever gets the memory next writes at once.
            AwaitUpload(_memory);
        }

        _own?.Dispose();
        _pinned?.Dispose();
    }
}
