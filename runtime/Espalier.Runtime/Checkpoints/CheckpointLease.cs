using System.Runtime.InteropServices;

namespace Espalier;

/// <summary>Keeps the weights of a checkpoint mapped, even behind the checkpoint's own disposal.</summary>
/// <remarks>
/// Whoever keeps a pointer from <see cref="CheckpointTensor.Data"/> holds a lease as long as native code may read there.
/// A lease is a <see cref="SafeHandle"/>, so other handles can take it as their parent by <see cref="SafeHandle.DangerousAddRef"/>, and a lost one is finalised. Thread-safe.
/// </remarks>
public sealed class CheckpointLease : SafeHandle
{
    private readonly CheckpointMapping _mapping;

    /// <summary>Takes over one reference to <paramref name="mapping"/>.</summary>
    internal CheckpointLease(CheckpointMapping mapping)
        : base(invalidHandleValue: 0, ownsHandle: true)
    {
        _mapping = mapping;

        // Any value but 0 makes the handle valid: what it stands for is the reference.
        SetHandle(1);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _mapping.Release();
        return true;
    }
}
