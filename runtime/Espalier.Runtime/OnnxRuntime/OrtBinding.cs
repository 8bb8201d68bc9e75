namespace Espalier.OnnxRuntime;

/// <summary>
/// The tensors that a run of one session reads and writes. Bound once, it serves any number of runs; the bytes of the
/// tensors may change in between. It keeps the session alive, but not the memory of the tensors (<see cref="OrtValue"/>).
/// Not thread-safe; several bindings of one session may run at the same time.
/// On a device other than the CPU, binding a host tensor to an input on the device copies it at once.
/// </summary>
internal sealed unsafe class OrtBinding : OrtHandle
{
    private OrtBinding(nint native, OrtSession session)
        : base(native, session)
    {
        Session = session;
    }

    /// <summary>The session that the binding belongs to.</summary>
    public OrtSession Session { get; }

    /// <summary>Creates an empty binding.</summary>
    public static OrtBinding Create(OrtSession session)
    {
        using var lease = new HandleLease(session);
        nint native;
        OrtStatus.Check(OrtApi.Current.CreateIoBinding(lease.Pointer, &native), "create a binding");
        return new OrtBinding(native, session);
    }

    /// <summary>Binds an input, instead of what was bound before. Allocates nothing managed.</summary>
    /// <param name="nameZ">The input's name, UTF-8, with a zero at its end.</param>
    /// <param name="value">The tensor.</param>
    /// <exception cref="OrtException">The session has no such input.</exception>
    public void BindInput(ReadOnlySpan<byte> nameZ, OrtValue value)
    {
        using var valueLease = new HandleLease(value);
        BindInput(nameZ, valueLease.Pointer);
    }

    /// <summary>Binds an input to a tensor of <see cref="OrtRaw.CreateTensor(nint, nuint, ReadOnlySpan{long}, OrtElementType)"/>; the tensor may be released afterwards, its memory not.</summary>
    public void BindInput(ReadOnlySpan<byte> nameZ, nint value)
    {
        using var lease = new HandleLease(this);
        OrtRaw.BindInput(lease.Pointer, nameZ, value);
    }

    /// <summary>Binds an output, instead of what was bound before. Its shape must be what the run produces. Allocates nothing managed.</summary>
    /// <param name="nameZ">The output's name, UTF-8, with a zero at its end.</param>
    /// <param name="value">The tensor.</param>
    public void BindOutput(ReadOnlySpan<byte> nameZ, OrtValue value)
    {
        using var valueLease = new HandleLease(value);
        BindOutput(nameZ, valueLease.Pointer);
    }

    /// <summary>Binds an output to a tensor of <see cref="OrtRaw.CreateTensor(nint, nuint, ReadOnlySpan{long}, OrtElementType)"/>; the tensor may be released afterwards, its memory not.</summary>
    public void BindOutput(ReadOnlySpan<byte> nameZ, nint value)
    {
        using var lease = new HandleLease(this);
        OrtRaw.BindOutput(lease.Pointer, nameZ, value);
    }

    /// <summary>Waits until what the session's device was told to do has been done.</summary>
    public void SynchronizeOutputs()
    {
        using var lease = new HandleLease(this);
        OrtStatus.Check(OrtApi.Current.SynchronizeBoundOutputs(lease.Pointer), "wait for the device");
    }

    /// <summary>Forgets all inputs.</summary>
    public void ClearInputs()
    {
        using var lease = new HandleLease(this);
        OrtRaw.ClearInputs(lease.Pointer);
    }

    /// <summary>Forgets all outputs.</summary>
    public void ClearOutputs()
    {
        using var lease = new HandleLease(this);
        OrtRaw.ClearOutputs(lease.Pointer);
    }

    private protected override void Release(OrtApi api, nint native) => api.ReleaseIoBinding(native);
}
