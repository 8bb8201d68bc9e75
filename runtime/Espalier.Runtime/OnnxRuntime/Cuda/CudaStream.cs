using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>A <c>cudaStream_t</c> of ONNX Runtime's own making, for sessions and copies. It keeps the environment alive.</summary>
/// <remarks>The provider's library is registered with the environment for it, once a process, which also teaches the environment to copy between the host and the GPU.</remarks>
internal sealed unsafe class CudaStream : OrtHandle
{
    private const string Registration = "espalier.cuda";
    private static readonly Lock Gate = new();
    private static OrtEnvironment? _registered;

    private readonly OrtEnvironment _environment;

    private CudaStream(nint native, OrtEnvironment environment)
        : base(native, environment)
    {
        _environment = environment;
    }

    /// <summary>The <c>cudaStream_t</c>.</summary>
    public nint Handle => OrtApi.Current.SyncStreamGetHandle(DangerousGetHandle());

    /// <summary>True if the stream is one of this environment.</summary>
    public bool IsOf(OrtEnvironment environment) => !IsClosed && ReferenceEquals(environment, _environment);

    /// <summary>Creates a stream on a GPU.</summary>
    /// <param name="environment">The process's environment.</param>
    /// <param name="provider">ONNX Runtime's name of the provider.</param>
    /// <param name="deviceId">The GPU, in the order in which ONNX Runtime finds them.</param>
    /// <exception cref="OrtException">The library cannot be registered, or there is no such GPU.</exception>
    public static CudaStream Create(OrtEnvironment environment, string provider, int deviceId)
    {
        OrtApi api = OrtApi.Current;
        using var lease = new HandleLease(environment);
        Register(api, environment, lease.Pointer);
        nint device = Find(api, lease.Pointer, provider, deviceId);
        nint stream;
        OrtStatus.Check(api.CreateSyncStreamForEpDevice(device, 0, &stream), "create a CUDA stream");
        return new CudaStream(stream, environment);
    }

    /// <summary>The file of the provider's library: beside the core library, or its bare name where that was found by the system.</summary>
    public static string LibraryFile(string core)
    {
        string name = OperatingSystem.IsWindows() ? "onnxruntime_providers_cuda.dll" : "libonnxruntime_providers_cuda.so";
        return Path.GetDirectoryName(core) is { Length: > 0 } folder ? Path.Combine(folder, name) : name;
    }

    private static void Register(OrtApi api, OrtEnvironment environment, nint native)
    {
        lock (Gate)
        {
            if (ReferenceEquals(_registered, environment))
            {
                return;
            }

            // ORTCHAR_T: wide on Windows, bytes elsewhere.
            string file = LibraryFile(OnnxRuntimeLibrary.Path);
            nint path = OperatingSystem.IsWindows() ? Marshal.StringToCoTaskMemUni(file) : Marshal.StringToCoTaskMemUTF8(file);
            nint name = Marshal.StringToCoTaskMemUTF8(Registration);
            try
            {
                OrtStatus.Check(api.RegisterExecutionProviderLibrary(native, (byte*)name, (void*)path), "register the CUDA provider's library");
                _registered = environment;
            }
            finally
            {
                Marshal.FreeCoTaskMem(path);
                Marshal.FreeCoTaskMem(name);
            }
        }
    }

    private static nint Find(OrtApi api, nint environment, string provider, int deviceId)
    {
        nint* devices;
        nuint count;
        OrtStatus.Check(api.GetEpDevices(environment, &devices, &count), "list the devices");
        int found = 0;
        for (nuint i = 0; i < count; i++)
        {
            if (Marshal.PtrToStringUTF8((nint)api.EpDeviceEpName(devices[i])) == provider && found++ == deviceId)
            {
                return devices[i];
            }
        }

        throw new OrtException(OrtErrorCode.NotFound, $"the provider's library was loaded and finds {found} NVIDIA GPUs, so that there is none of number {deviceId}", "find the GPU");
    }

    private protected override void Release(OrtApi api, nint native) => api.ReleaseSyncStream(native);
}
