namespace Espalier.OnnxRuntime;

/// <summary>Options of runs; one object may serve many runs, one after another or at the same time. <see cref="Terminate"/> may be called from any thread.</summary>
internal sealed unsafe class OrtRunOptions : OrtHandle
{
    private volatile bool _terminated;

    private OrtRunOptions(nint native)
        : base(native)
    {
    }

    /// <summary>Whether runs with these options are to stop.</summary>
    public bool IsTerminated => _terminated;

    /// <summary>Creates options with ONNX Runtime's defaults.</summary>
    public static OrtRunOptions Create()
    {
        nint native;
        OrtStatus.Check(OrtApi.Current.CreateRunOptions(&native), "create run options");
        return new OrtRunOptions(native);
    }

    /// <summary>Makes all runs with these options stop before their next operator, and all later ones at once, until <see cref="Reset"/>.</summary>
    public void Terminate()
    {
        using var lease = new HandleLease(this);
        _terminated = true;
        OrtStatus.Check(OrtApi.Current.RunOptionsSetTerminate(lease.Pointer), "set the terminate flag");
    }

    /// <summary>Allows runs again.</summary>
    public void Reset()
    {
        using var lease = new HandleLease(this);
        OrtStatus.Check(OrtApi.Current.RunOptionsUnsetTerminate(lease.Pointer), "clear the terminate flag");
        _terminated = false;
    }

    /// <summary>Sets an entry of the run's configuration, for example <c>"disable_synchronize_execution_providers\0"u8</c>.</summary>
    public void SetEntry(ReadOnlySpan<byte> keyZ, ReadOnlySpan<byte> valueZ)
    {
        OrtRaw.RequireZero(keyZ);
        OrtRaw.RequireZero(valueZ);
        using var lease = new HandleLease(this);
        fixed (byte* key = keyZ, value = valueZ)
        {
            OrtStatus.Check(OrtApi.Current.AddRunConfigEntry(lease.Pointer, key, value), "set a run option");
        }
    }

    private protected override void Release(OrtApi api, nint native) => api.ReleaseRunOptions(native);
}
