namespace Espalier.OnnxRuntime;

/// <summary>A device that sessions run on, and how ONNX Runtime is told to use it.</summary>
internal abstract class ExecutionProvider
{
    /// <summary>ONNX Runtime's name of it, as in <see cref="OnnxRuntimeLibrary.Providers"/>.</summary>
    public abstract string Name { get; }

    /// <summary>True if the device reads and writes the memory of the host.</summary>
    public virtual bool UsesHostMemory => false;

    /// <summary>True if graphs are rewritten for the device, because it lacks operators: see <see cref="Graphs.Lowering.WebGpuLowering"/>.</summary>
    public virtual bool RewritesGraphs => false;

    /// <summary>The thread on which decode steps run, if the device captures them and replays them, whose shapes and addresses stay: see <see cref="Espalier.DecodeRuns"/>. Null for one that does not.</summary>
    public virtual DeviceThread? ReplayThread => null;

    /// <summary>ONNX Runtime's name of memory of the host that the device has pinned; null if it has none.</summary>
    public virtual string? PinnedMemory => null;

    /// <summary>True if the provider multiplies rows with weights of four bits, in single precision: <see cref="Graphs.Formats.FormatProbe"/> asks whether it does so rightly.</summary>
    public virtual bool HasFourBitProducts => false;

    /// <summary>Why rows of a type do not run there, with what to do; null if they do.</summary>
    public abstract string? WhyNot(OrtElementType rows);

    /// <summary>Makes what copies between the host and the device.</summary>
    /// <param name="session">A session of the device.</param>
    /// <param name="allocator">Hands out memory of the device.</param>
    /// <param name="memory">The <c>OrtMemoryInfo*</c> of that memory.</param>
    public virtual DeviceCopies OpenCopies(OrtSession session, OrtAllocator allocator, nint memory) => BlockingCopies.Instance;

    /// <summary>The typed error for what the library said of the device; null if it says nothing of it.</summary>
    public virtual EspalierException? Explain(OrtException failure) => null;

    /// <summary>Makes sessions of these options run there.</summary>
    /// <exception cref="ExecutionProviderNotAvailableException">The library was built without the provider, or files that it needs are missing.</exception>
    public abstract void AppendTo(OrtSessionOptions options);
}

/// <summary>The processor. Always there, and what every other provider falls back to.</summary>
internal sealed class CpuExecutionProvider : ExecutionProvider
{
    /// <summary>The one instance.</summary>
    public static readonly CpuExecutionProvider Instance = new();

    private CpuExecutionProvider()
    {
    }

    /// <inheritdoc/>
    public override string Name => "CPUExecutionProvider";

    /// <inheritdoc/>
    public override bool UsesHostMemory => true;

    /// <inheritdoc/>
    public override string? WhyNot(OrtElementType rows) => rows == OrtElementType.BFloat16
        ? "ONNX Runtime has no kernels for bfloat16 there. Choose Precision.Float16, which the CPU runs for comparison, or Precision.Float32."
        : null;

    /// <inheritdoc/>
    public override void AppendTo(OrtSessionOptions options)
    {
        // Nothing to say: ONNX Runtime adds it to every session by itself, behind those that were asked for.
    }
}
