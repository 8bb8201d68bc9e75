namespace Espalier.OnnxRuntime;

/// <summary>No file that could be ONNX Runtime's native library was found, or the file found is not that library. The message lists the files tried.</summary>
public sealed class OnnxRuntimeNotFoundException : EspalierException
{
    internal OnnxRuntimeNotFoundException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>ONNX Runtime's native library was found, but is older than the version that Espalier is written for.</summary>
public sealed class OnnxRuntimeVersionException : EspalierException
{
    internal OnnxRuntimeVersionException(string message, string path, string version)
        : base(message)
    {
        Path = path;
        Version = version;
    }

    /// <summary>The file that was loaded.</summary>
    public string Path { get; }

    /// <summary>The version that the file reports, for example <c>1.22.0</c>.</summary>
    public string Version { get; }
}

/// <summary>A setting of ONNX Runtime that came from outside the program, such as <c>ESPALIER_THREADS</c>, is not usable.</summary>
public sealed class OnnxRuntimeConfigurationException : EspalierException
{
    internal OnnxRuntimeConfigurationException(string message)
        : base(message)
    {
    }
}

/// <summary>The device's execution provider cannot be used: this library was built without it, or the files that it needs are missing.</summary>
public sealed class ExecutionProviderNotAvailableException : EspalierException
{
    internal ExecutionProviderNotAvailableException(string provider, string message, Exception? inner = null)
        : base(message, inner)
    {
        Provider = provider;
    }

    /// <summary>ONNX Runtime's name of the provider, for example <c>CUDAExecutionProvider</c>.</summary>
    public string Provider { get; }
}

/// <summary>A device lacks an operator that a part of the plan needs.</summary>
public sealed class DeviceOperatorException : EspalierException
{
    internal DeviceOperatorException(string device, string part, IReadOnlyList<string> operators)
        : base($"{device} lacks operators of {part}: {string.Join(", ", operators)}. Choose a policy without that part, or Device.Cpu.")
    {
        Part = part;
        Operators = operators;
    }

    /// <summary>The part of the model, for example <c>DecoderLayer-3-Frozen</c>.</summary>
    public string Part { get; }

    /// <summary>The operators, in alphabetical order.</summary>
    public IReadOnlyList<string> Operators { get; }
}

/// <summary>A device reads an input of a part of the plan on the other side than it is written: it would read what was there before.</summary>
public sealed class DeviceInputException : EspalierException
{
    internal DeviceInputException(string device, string part, IReadOnlyList<string> inputs)
        : base($"{device} reads inputs of {part} where nobody writes them: {string.Join(", ", inputs)}. Another version of ONNX Runtime places them otherwise: use 1.30, choose a policy without that part, or Device.Cpu.")
    {
        Part = part;
        Inputs = inputs;
    }

    /// <summary>The part of the model, for example <c>layers.3.Frozen</c>.</summary>
    public string Part { get; }

    /// <summary>The inputs, in the order of the graph.</summary>
    public IReadOnlyList<string> Inputs { get; }
}

/// <summary>A device has not as much free memory as was asked for.</summary>
public sealed class DeviceMemoryException : EspalierException
{
    internal DeviceMemoryException(nuint bytes, Exception? inner)
        : base($"The device has no {bytes} bytes of memory left{(inner is null ? "" : ": " + inner.Message.Trim())}. Use a smaller capacity, fewer sequences at a time, or Device.Cpu.", inner)
    {
        ByteLength = (long)bytes;
    }

    internal DeviceMemoryException(OrtException failure)
        : base($"The device has not enough memory: {failure.NativeMessage.Trim().TrimEnd('.')}. Use a smaller capacity, fewer sequences at a time, a policy that keeps fewer tokens, or Device.Cpu.", failure)
    {
    }

    /// <summary>The bytes that were asked for; 0 where the library does not say.</summary>
    public long ByteLength { get; }
}

/// <summary>A call into ONNX Runtime failed.</summary>
public sealed class OrtException : EspalierException
{
    internal OrtException(OrtErrorCode code, string nativeMessage, string operation)
        : base($"ONNX Runtime failed to {operation} ({code}): {nativeMessage}")
    {
        Code = code;
        NativeMessage = nativeMessage;
        Operation = operation;
    }

    /// <summary>The code that ONNX Runtime gave.</summary>
    public OrtErrorCode Code { get; }

    /// <summary>What ONNX Runtime said.</summary>
    public string NativeMessage { get; }

    /// <summary>What was tried, as a verb phrase: <c>create the session</c>.</summary>
    public string Operation { get; }
}

/// <summary>The error codes of ONNX Runtime's C API (<c>OrtErrorCode</c>).</summary>
public enum OrtErrorCode
{
    /// <summary>No error; never in an exception.</summary>
    Ok = 0,

    /// <summary>A failure without a more specific code.</summary>
    Fail = 1,

    /// <summary>An argument, a shape or a type does not fit.</summary>
    InvalidArgument = 2,

    /// <summary>A file does not exist.</summary>
    NoSuchFile = 3,

    /// <summary>No model was loaded.</summary>
    NoModel = 4,

    /// <summary>An execution provider's engine failed.</summary>
    EngineError = 5,

    /// <summary>A kernel threw while running.</summary>
    RuntimeException = 6,

    /// <summary>The model's bytes are not a model.</summary>
    InvalidProtobuf = 7,

    /// <summary>The model is loaded already.</summary>
    ModelLoaded = 8,

    /// <summary>No kernel for an operator, or no such function in this build.</summary>
    NotImplemented = 9,

    /// <summary>The model's graph is not valid.</summary>
    InvalidGraph = 10,

    /// <summary>An execution provider failed.</summary>
    ExecutionProviderFailure = 11,

    /// <summary>Loading was cancelled.</summary>
    ModelLoadCancelled = 12,

    /// <summary>The model must be compiled first.</summary>
    ModelRequiresCompilation = 13,

    /// <summary>Something asked for by name does not exist.</summary>
    NotFound = 14,
}
