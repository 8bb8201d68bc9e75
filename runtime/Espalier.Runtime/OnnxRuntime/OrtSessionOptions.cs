using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>
/// How a session is to be created. All sessions use the process's threads and arena, and run the graph as it is
/// written: the optimiser would fold weights that are shared, and fuse rotary embeddings that take positions of
/// pruned rows. Not thread-safe. May be disposed once its sessions are created.
/// </summary>
internal sealed unsafe class OrtSessionOptions : OrtHandle
{
    private readonly List<OrtValue> _initializers = [];

    private OrtSessionOptions(nint native, ExecutionProvider provider, bool capturesRuns)
        : base(native)
    {
        Provider = provider;
        CapturesRuns = capturesRuns;
    }

    /// <summary>Where sessions run.</summary>
    public ExecutionProvider Provider { get; }

    /// <summary>True if the device is to capture runs and to replay them; all bound addresses and shapes must then stay.</summary>
    public bool CapturesRuns { get; }

    /// <summary>The weights added so far, which sessions must keep alive.</summary>
    public IReadOnlyList<OrtValue> Initializers => _initializers;

    /// <summary>Creates options for a device.</summary>
    /// <param name="provider">Where the session's nodes run; null for the CPU.</param>
    /// <param name="capturesRuns">See <see cref="CapturesRuns"/>.</param>
    /// <exception cref="ExecutionProviderNotAvailableException">The library cannot use that device.</exception>
    public static OrtSessionOptions Create(ExecutionProvider? provider = null, bool capturesRuns = false)
    {
        OrtApi api = OrtApi.Current;
        nint native;
        OrtStatus.Check(api.CreateSessionOptions(&native), "create session options");
        var options = new OrtSessionOptions(native, provider ?? CpuExecutionProvider.Instance, capturesRuns);
        try
        {
            OrtStatus.Check(api.DisablePerSessionThreads(native), "use the shared threads");
            OrtStatus.Check(api.SetSessionGraphOptimizationLevel(native, 0), "set the optimization level");
            options.SetEntry("session.use_env_allocators\0"u8, "1\0"u8);
            options.Provider.AppendTo(options);
            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    /// <summary>Makes sessions of these options write what they ran, as a Chrome trace, when they are released.</summary>
    /// <param name="prefix">The file, without the time and the extension that ONNX Runtime puts behind.</param>
    public void EnableTrace(string prefix)
    {
        using var lease = new HandleLease(this);

        // ORTCHAR_T: wide on Windows, bytes elsewhere.
        nint path = OperatingSystem.IsWindows() ? Marshal.StringToCoTaskMemUni(prefix) : Marshal.StringToCoTaskMemUTF8(prefix);
        try
        {
            OrtStatus.Check(OrtApi.Current.EnableProfiling(lease.Pointer, (void*)path), "write a trace");
        }
        finally
        {
            Marshal.FreeCoTaskMem(path);
        }
    }

    /// <summary>Sets an entry of the session's configuration, for example <c>"session.disable_prepacking\0"u8</c>.</summary>
    public void SetEntry(ReadOnlySpan<byte> keyZ, ReadOnlySpan<byte> valueZ)
    {
        OrtRaw.RequireZero(keyZ);
        OrtRaw.RequireZero(valueZ);
        using var lease = new HandleLease(this);
        fixed (byte* key = keyZ, value = valueZ)
        {
            OrtStatus.Check(OrtApi.Current.AddSessionConfigEntry(lease.Pointer, key, value), "set a session option");
        }
    }

    /// <summary>
    /// Uses <paramref name="value"/> in place as the weight <paramref name="name"/>, instead of the bytes in the model,
    /// and makes it eligible for <see cref="PrepackedWeights"/>. The sessions hold the value open.
    /// </summary>
    /// <param name="name">An initializer of the graph whose bytes are in the model.</param>
    /// <param name="value">The weight.</param>
    public void AddInitializer(string name, OrtValue value)
    {
        using var lease = new HandleLease(this);
        using var valueLease = new HandleLease(value);
        byte* nameZ = (byte*)Marshal.StringToCoTaskMemUTF8(name);
        try
        {
            OrtStatus.Check(OrtApi.Current.AddInitializer(lease.Pointer, nameZ, valueLease.Pointer), "add an initializer");
            _initializers.Add(value);
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)nameZ);
        }
    }

    /// <summary>
    /// Like <see cref="AddInitializer"/>, for an initializer whose bytes the model expects in an external file. The file
    /// need not exist. ONNX Runtime wants both calls: the one for external data would copy the bytes for every session,
    /// the other alone looks for the file first; together the value is used in place.
    /// </summary>
    /// <param name="name">An initializer of the graph with external data.</param>
    /// <param name="value">The weight.</param>
    /// <param name="placeholder">Memory of the host of the same size, for a weight that lies on a device: ONNX Runtime reads it once, and uses the weight. Null for a weight of the host.</param>
    public void AddExternalInitializer(string name, OrtValue value, OrtValue? placeholder = null)
    {
        using var lease = new HandleLease(this);
        using var valueLease = new HandleLease(placeholder ?? value);
        byte* nameZ = (byte*)Marshal.StringToCoTaskMemUTF8(name);
        try
        {
            nint native = valueLease.Pointer;
            OrtStatus.Check(OrtApi.Current.AddExternalInitializers(lease.Pointer, &nameZ, &native, 1), "add an external initializer");
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)nameZ);
        }

        AddInitializer(name, value);
    }

    private protected override void Release(OrtApi api, nint native) => api.ReleaseSessionOptions(native);
}
