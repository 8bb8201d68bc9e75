namespace Espalier.OnnxRuntime;

/// <summary>What it means that ONNX Runtime's CUDA provider fails, and what to do. The cause is only in the words of the library.</summary>
internal static class CudaFailure
{
    private const string Provider = "Its library, libonnxruntime_providers_cuda with libonnxruntime_providers_shared beside it, comes from the package Microsoft.ML.OnnxRuntime.Gpu: build with -p:OnnxRuntime=Gpu, or put both files beside that library";
    private const string Toolkit = "The provider's library is there, but one that it needs is not: install the CUDA and cuDNN versions that it is built for, where the system's loader finds them";
    private const string Driver = "The libraries are there, but no GPU answers: it takes an NVIDIA GPU and a driver of at least the version that these CUDA libraries ask for; nvidia-smi tells";
    private const string Broken = "The provider's library is there, but cannot be used: take all files from one version of the package Microsoft.ML.OnnxRuntime.Gpu, the core library among them (-p:OnnxRuntime=Gpu)";

    // What CUDA, cuBLAS, the arena and the allocator say where memory runs out.
    private static readonly string[] OutOfMemory = ["out of memory", "Failed to allocate memory for requested buffer", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "bad allocation", "std::bad_alloc"];
    private static readonly string[] NoGpu = ["no CUDA-capable device", "driver version is insufficient", "cudaGetDeviceCount", "NVIDIA GPUs, so that there is none", "Invalid device ID", "cudaErrorNoDevice", "cudaErrorInsufficientDriver", "no kernel image is available"];

    /// <summary>The typed error for a failure while a session is made or run; null for one that is no matter of the device.</summary>
    public static EspalierException? Explain(string provider, OrtException failure) =>
        IsOutOfMemory(failure.NativeMessage) ? new DeviceMemoryException(failure)
        : Says(failure.NativeMessage, NoGpu) ? Unavailable(provider, failure)
        : null;

    /// <summary>The typed error for a failure to load the provider.</summary>
    public static ExecutionProviderNotAvailableException Unavailable(string provider, OrtException failure) => new(
        provider,
        $"CUDA cannot be used with '{OnnxRuntimeLibrary.Path}': {failure.NativeMessage.Trim().TrimEnd('.')}. {Remedy(failure.NativeMessage)}. Or choose Device.Cpu.",
        failure);

    /// <summary>True if the library says that memory has run out.</summary>
    public static bool IsOutOfMemory(string message) => Says(message, OutOfMemory);

    /// <summary>What to do, by what the library says.</summary>
    public static string Remedy(string message)
    {
        if (Says(message, NoGpu))
        {
            return Driver;
        }

        // The loader names the file that it does not find, which need not be the one that was asked for.
        bool isMissing = Says(message, ["No such file", "cannot open shared object", "which is missing", "not found", "could not be found"]);
        int missing = message.LastIndexOf("error:", StringComparison.OrdinalIgnoreCase) is >= 0 and int at ? at : 0;
        bool isOurs = message.AsSpan(missing).Contains("onnxruntime_providers", StringComparison.OrdinalIgnoreCase);
        return isMissing ? (isOurs ? Provider : Toolkit)
            : Says(message, ["not enabled in this build", "Failed to load shared library"]) ? Provider
            : Broken;
    }

    private static bool Says(string message, string[] words) => Array.Exists(words, word => message.Contains(word, StringComparison.OrdinalIgnoreCase));
}
