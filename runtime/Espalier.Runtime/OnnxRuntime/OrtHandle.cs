using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>
/// An object of ONNX Runtime that this process owns. It keeps what it was made from alive: a session that is disposed
/// while a binding of it exists is released after that binding, in whatever order programs and finalizers let go.
/// </summary>
internal abstract class OrtHandle : SafeHandle
{
    private readonly SafeHandle[] _parents;

    /// <summary>Takes ownership of <paramref name="native"/> and holds on to its parents.</summary>
    /// <param name="native">The native object; not zero.</param>
    /// <param name="parents">What must outlive it. The caller must hold them open during the call.</param>
    private protected OrtHandle(nint native, params ReadOnlySpan<SafeHandle> parents)
        : base(0, ownsHandle: true)
    {
        _parents = parents.ToArray();
        foreach (SafeHandle parent in _parents)
        {
            bool added = false;
            parent.DangerousAddRef(ref added);
        }

        SetHandle(native);
    }

    /// <inheritdoc/>
    public sealed override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected sealed override bool ReleaseHandle()
    {
        Release(OrtApi.Current, handle);
        for (int i = _parents.Length - 1; i >= 0; i--)
        {
            _parents[i].DangerousRelease();
        }

        return true;
    }

    private protected abstract void Release(OrtApi api, nint native);
}

/// <summary>Holds a handle open and gives its pointer, until disposed. Allocates nothing.</summary>
internal readonly ref struct HandleLease : IDisposable
{
    private readonly SafeHandle? _handle;

    /// <summary>Opens a lease.</summary>
    /// <param name="handle">The handle; null gives a lease on the null pointer.</param>
    /// <exception cref="ObjectDisposedException">The handle was disposed.</exception>
    public HandleLease(SafeHandle? handle)
    {
        if (handle is not null)
        {
            bool added = false;
            handle.DangerousAddRef(ref added);
            _handle = handle;
            Pointer = handle.DangerousGetHandle();
        }
    }

    /// <summary>The native object.</summary>
    public nint Pointer { get; }

    /// <summary>Ends the lease.</summary>
    public void Dispose() => _handle?.DangerousRelease();
}
