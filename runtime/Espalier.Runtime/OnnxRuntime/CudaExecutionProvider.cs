using System.Globalization;
using System.Text;

namespace Espalier.OnnxRuntime;

/// <summary>
/// An NVIDIA GPU. The provider is a library of its own (<c>libonnxruntime_providers_cuda</c>, from the package
/// Microsoft.ML.OnnxRuntime.Gpu) which the core library looks for beside itself.
/// Only the failure for its absence is tested.
/// </summary>
/// <param name="deviceId">The GPU; from 0.</param>
/// <param name="stream">A <c>cudaStream_t</c> that all sessions share, so that they run in order without waiting for each other; zero = one per session.</param>
/// <param name="captureGraphs">Whether runs may be captured and replayed as CUDA graphs; all bound addresses and shapes must then stay.</param>
internal sealed unsafe class CudaExecutionProvider(int deviceId = 0, nint stream = 0, bool captureGraphs = false) : ExecutionProvider
{
    /// <summary>Why no precision runs there yet.</summary>
    public const string Unsupported = "ONNX Runtime's attention over a cache has no kernel in single precision on CUDA, and half precision is not written yet. Choose Device.Cpu or Device.WebGpu.";

    /// <inheritdoc/>
    public override string Name => "CUDAExecutionProvider";

    /// <inheritdoc/>
    public override void AppendTo(OrtSessionOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(deviceId);
        OrtApi api = OrtApi.Current;
        nint cuda;
        Require(api.CreateCudaProviderOptions(&cuda), "create the options of the CUDA provider");
        try
        {
            byte[] device = Encoding.UTF8.GetBytes(deviceId.ToString(CultureInfo.InvariantCulture) + "\0");
            fixed (byte* deviceKey = "device_id\0"u8, graphKey = "enable_cuda_graph\0"u8, streamKey = "user_compute_stream\0"u8, deviceValue = device, graphValue = captureGraphs ? "1\0"u8 : "0\0"u8)
            {
                byte** keys = stackalloc byte*[2] { deviceKey, graphKey };
                byte** values = stackalloc byte*[2] { deviceValue, graphValue };
                Require(api.UpdateCudaProviderOptions(cuda, keys, values, 2), "set the options of the CUDA provider");
                if (stream != 0)
                {
                    Require(api.UpdateCudaProviderOptionsWithValue(cuda, streamKey, (void*)stream), "set the stream of the CUDA provider");
                }
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
    public void RequireAvailable()
    {
        _ = OrtEnvironment.Shared;
        OrtSessionOptions.Create(this).Dispose();
    }

    private void Require(nint status, string operation)
    {
        if (status != 0)
        {
            OrtException reason = OrtStatus.Read(status, operation);
            throw new ExecutionProviderNotAvailableException(
                Name,
                $"CUDA cannot be used with '{OnnxRuntimeLibrary.Path}': {reason.NativeMessage.Trim()}. Build with -p:OnnxRuntime=Gpu, which adds the CUDA provider's library, and install the CUDA and cuDNN versions that it is built for; or choose the CPU.",
                reason);
        }
    }
}
