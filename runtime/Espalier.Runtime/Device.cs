using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Where a model's sessions run.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed class Device
{
    private Device(string name, ExecutionProvider provider)
    {
        Name = name;
        Provider = provider;
    }

    /// <summary>The best device that was found; today always <see cref="Cpu"/>.</summary>
    public static Device Auto { get; } = new("auto", CpuExecutionProvider.Instance);

    /// <summary>The CPU: works everywhere.</summary>
    public static Device Cpu { get; } = new("cpu", CpuExecutionProvider.Instance);

    /// <summary>Any GPU that Vulkan, Metal or Direct3D 12 reaches.</summary>
    public static Device WebGpu { get; } = new("webgpu", WebGpuExecutionProvider.Instance);

    /// <summary>The name, lower case.</summary>
    public string Name { get; }

    internal ExecutionProvider Provider { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
