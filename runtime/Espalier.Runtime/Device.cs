using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Where a model's sessions run.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed class Device
{
    internal Device(string name, ExecutionProvider provider)
    {
        Name = name;
        Provider = provider;
    }

    /// <summary>Today always <see cref="Cpu"/>: no GPU has been measured. <see cref="DeviceFinding.All"/> tells what else there is.</summary>
    public static Device Auto { get; } = new("auto", CpuExecutionProvider.Instance);

    /// <summary>The CPU: works everywhere.</summary>
    public static Device Cpu { get; } = new("cpu", CpuExecutionProvider.Instance);

    /// <summary>Any GPU that Vulkan, Metal or Direct3D 12 reaches, by ONNX Runtime's WebGPU provider, in <see cref="Precision.Float32"/> or <see cref="Precision.Int4"/>.</summary>
    /// <remarks>Executed over Vulkan in software so far. One run at a time: sequences of different threads take turns.</remarks>
    public static Device WebGpu { get; } = new("webgpu", WebGpuExecutionProvider.Instance);

    /// <summary>The first NVIDIA GPU, by ONNX Runtime's CUDA provider, in <see cref="Precision.Float16"/> or <see cref="Precision.BFloat16"/>. The provider's library comes from the package Microsoft.ML.OnnxRuntime.Gpu.</summary>
    /// <remarks>Never executed on a GPU: its parts ran on the CPU and on WebGPU, or not at all. One run at a time: sequences of different threads take turns.</remarks>
    public static Device Cuda { get; } = new("cuda", new CudaExecutionProvider());

    /// <summary>The name, lower case.</summary>
    public string Name { get; }

    internal ExecutionProvider Provider { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
