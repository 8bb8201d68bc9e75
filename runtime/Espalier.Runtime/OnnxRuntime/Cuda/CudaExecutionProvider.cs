using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>
/// An NVIDIA GPU. The provider is a library of its own (<c>libonnxruntime_providers_cuda</c>, from the package
/// Microsoft.ML.OnnxRuntime.Gpu) which the core library looks for beside itself.
/// Of this class, what the library answers where something is missing has been executed, and no run.
/// </summary>
/// <param name="deviceId">The GPU; from 0.</param>
internal sealed unsafe class CudaExecutionProvider(int deviceId = 0) : ExecutionProvider
{
    private readonly Lock _lock = new();
    private CudaStream? _stream;

    /// <inheritdoc/>
    public override string Name => "CUDAExecutionProvider";

    /// <inheritdoc/>
    public override DeviceThread ReplayThread { get; } = new("Espalier CUDA");

    /// <inheritdoc/>
    public override string? PinnedMemory => "CudaPinned";

    /// <inheritdoc/>
    public override string? WhyNot(OrtElementType rows) => rows == OrtElementType.Float
        ? "ONNX Runtime's attention over a cache has no kernel in single precision there. Choose Precision.Float16 or Precision.BFloat16, or Device.Cpu."
        : null;

    /// <inheritdoc/>
    public override DeviceCopies OpenCopies(OrtSession session, OrtAllocator allocator, nint memory) => new CudaCopies(Stream(), session, allocator, memory);

    /// <inheritdoc/>
    public override EspalierException? Explain(OrtException failure) => CudaFailure.Explain(Name, failure);

    /// <inheritdoc/>
    public override void AppendTo(OrtSessionOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(deviceId);
        OrtApi api = OrtApi.Current;
        _ = OrtEnvironment.Shared;
        nint cuda;
        Require(api.CreateCudaProviderOptions(&cuda), "create the options of the CUDA provider");
        try
        {
            // First the options, which load the library and count the GPUs: what is missing is said here, before anything is registered.
            Update(cuda, CudaOptions.Of(deviceId, options.CapturesRuns));
            using var stream = new HandleLease(Stream());
            fixed (byte* key = "user_compute_stream\0"u8)
            {
                Require(api.UpdateCudaProviderOptionsWithValue(cuda, key, (void*)_stream!.Handle), "set the stream of the CUDA provider");
            }

            foreach ((byte[] key, byte[] value) in CudaOptions.SessionEntries(options.CapturesRuns))
            {
                options.SetEntry(key, value);
            }

            using var lease = new HandleLease(options);
            Require(api.AppendCudaExecutionProvider(lease.Pointer, cuda), "add the CUDA provider");
        }
        finally
        {
            api.ReleaseCudaProviderOptions(cuda);
        }
    }

    /// <summary>Fails where the provider cannot be used: its library, the driver or a GPU is missing.</summary>
    /// <exception cref="ExecutionProviderNotAvailableException">So it is.</exception>
    public void RequireAvailable() => OrtSessionOptions.Create(this).Dispose();

    /// <summary>The stream that all sessions and copies share, so that they run in order without waiting for each other.</summary>
    private CudaStream Stream()
    {
        lock (_lock)
        {
            OrtEnvironment environment = OrtEnvironment.Shared;
            if (_stream is null || !_stream.IsOf(environment))
            {
                try
                {
                    _stream = CudaStream.Create(environment, Name, deviceId);
                }
                catch (OrtException failure)
                {
                    throw CudaFailure.Unavailable(Name, failure);
                }
            }

            return _stream;
        }
    }

    private void Update(nint cuda, IReadOnlyList<(string Key, string Value)> entries)
    {
        int count = entries.Count;
        byte** keys = stackalloc byte*[count];
        byte** values = stackalloc byte*[count];
        new Span<nint>(keys, count).Clear();
        new Span<nint>(values, count).Clear();
        try
        {
            for (int i = 0; i < count; i++)
            {
                keys[i] = (byte*)Marshal.StringToCoTaskMemUTF8(entries[i].Key);
                values[i] = (byte*)Marshal.StringToCoTaskMemUTF8(entries[i].Value);
            }

            Require(OrtApi.Current.UpdateCudaProviderOptions(cuda, keys, values, (nuint)count), "set the options of the CUDA provider");
        }
        finally
        {
            for (int i = 0; i < count; i++)
            {
                Marshal.FreeCoTaskMem((nint)keys[i]);
                Marshal.FreeCoTaskMem((nint)values[i]);
            }
        }
    }

    private void Require(nint status, string operation)
    {
        if (status != 0)
        {
            throw CudaFailure.Unavailable(Name, OrtStatus.Read(status, operation));
        }
    }
}
