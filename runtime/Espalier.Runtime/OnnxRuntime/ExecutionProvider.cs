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
    public override void AppendTo(OrtSessionOptions options)
    {
        // Nothing to say: ONNX Runtime adds it to every session by itself, behind those that were asked for.
    }
}
