using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>A <c>cudaStream_t</c> of ONNX Runtime's own making, for sessions and copies. It keeps the environment alive.</summary>
/// <remarks>The provider's library is registered with the environment for it, once a process, which also teaches the environment to copy between the host and the GPU.</remarks>
internal sealed unsafe class CudaStream : OrtHandle
{
    private const string Registration = "espalier.cuda";
    private static readonly Lock Gate = new();
    private static OrtEnvironment? _registered;
    private static OrtEnvironment? _withArena;

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

    /// <summary>Creates a stream on a GPU. The provider's library has been loaded before, by setting its options.</summary>
    /// <param name="environment">The process's environment.</param>
    /// <param name="provider">ONNX Runtime's name of the provider.</param>
    /// <param name="deviceId">The GPU, in the order in which ONNX Runtime finds them.</param>
    /// <exception cref="OrtException">The library cannot be registered, or there is no such GPU.</exception>
    public static CudaStream Create(OrtEnvironment environment, string provider, int deviceId)
    {
        OrtApi api = OrtApi.Current;
        using var lease = new HandleLease(environment);
        Register(api, environment, lease.Pointer, provider, deviceId);
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

    private static void Register(OrtApi api, OrtEnvironment environment, nint native, string provider, int deviceId)
    {
        lock (Gate)
        {
            if (ReferenceEquals(_registered, environment))
            {
                return;
            }

            // Before the library, whose allocator would be the environment's else: it asks CUDA for every tensor between two operators, and gives it back, which waits for the GPU.
            if (!ReferenceEquals(_withArena, environment))
            {
                RegisterArena(api, native, provider, deviceId);
                _withArena = environment;
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

    /// <summary>Registers the arena that all sessions of a GPU share, but for those whose runs are captured.</summary>
    /// <remarks>Only behind <c>UpdateCUDAProviderOptions</c>, which has loaded the provider's library: without it this function ends the process in place of an error.</remarks>
    private static void RegisterArena(OrtApi api, nint environment, string provider, int deviceId)
    {
        nint name = Marshal.StringToCoTaskMemUTF8(provider);
        nint memory = 0;
        nint configuration = 0;
        try
        {
            fixed (byte* kind = "Cuda\0"u8, key = "arena_extend_strategy\0"u8)
            {
                OrtStatus.Check(api.CreateMemoryInfo(kind, (int)OrtAllocatorType.Arena, deviceId, 0, &memory), "describe the memory of the GPU");

                // 1 = as much as is asked for, as in the options of the provider.
                nuint value = 1;
                byte* keys = key;
                OrtStatus.Check(api.CreateArenaCfgV2(&keys, &value, 1, &configuration), "configure the arena of the GPU");
                OrtStatus.Check(api.CreateAndRegisterAllocatorV2(environment, (byte*)name, memory, configuration, null, null, 0), "register the arena of the GPU");
            }
        }
        finally
        {
            Marshal.FreeCoTaskMem(name);
            if (configuration != 0)
            {
                api.ReleaseArenaCfg(configuration);
            }

            if (memory != 0)
            {
                api.ReleaseMemoryInfo(memory);
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
