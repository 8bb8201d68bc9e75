using System.Runtime.InteropServices;

namespace Espalier.Imaging.Native;

/// <summary>One reference to a GObject, given back on dispose.</summary>
internal unsafe class GObjectHandle : SafeHandle
{
    public GObjectHandle(nint ownedReference)
        : base(0, ownsHandle: true)
    {
        SetHandle(ownedReference);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The object; valid while this handle is not disposed.</summary>
    public nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    protected override bool ReleaseHandle()
    {
        Libvips.Instance.ObjectUnref(handle);
        return true;
    }
}
