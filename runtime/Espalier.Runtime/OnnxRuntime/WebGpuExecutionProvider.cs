namespace Espalier.OnnxRuntime;

/// <summary>Any GPU that Vulkan, Metal or Direct3D 12 reaches. The provider is part of the core library; the system has to have a driver.</summary>
internal sealed unsafe class WebGpuExecutionProvider : ExecutionProvider
{
    /// <summary>The one instance.</summary>
    public static readonly WebGpuExecutionProvider Instance = new();

    private WebGpuExecutionProvider()
    {
    }

    /// <inheritdoc/>
    public override string Name => "WebGpuExecutionProvider";

    /// <inheritdoc/>
    public override bool RewritesGraphs => true;

    /// <inheritdoc/>
    public override bool HasFourBitProducts => true;

    /// <inheritdoc/>
    public override string? WhyNot(OrtElementType rows) => rows == OrtElementType.Float
        ? null
        : "half precision was written for CUDA, and no WebGPU device that it could be tried on was there. Choose Precision.Float32.";

    /// <inheritdoc/>
    public override void AppendTo(OrtSessionOptions options)
    {
        if (!OnnxRuntimeLibrary.Providers.Contains(Name))
        {
            throw new ExecutionProviderNotAvailableException(
                Name,
                $"'{OnnxRuntimeLibrary.Path}' was built without WebGPU. Use the library that the package's build targets fetch, or choose Device.Cpu.");
        }

        // Its options ask for a logger, which comes with the environment.
        _ = OrtEnvironment.Shared;
        options.SetEntry("session.record_ep_graph_assignment_info\0"u8, "1\0"u8);
        using var lease = new HandleLease(options);
        nint status;
        lock (DeviceGate.Gate)
        {
            fixed (byte* name = "WebGPU\0"u8)
            {
                status = OrtApi.Current.AppendExecutionProvider(lease.Pointer, name, null, null, 0);
            }
        }

        if (status != 0)
        {
            OrtException reason = OrtStatus.Read(status, "add the WebGPU provider");
            throw new ExecutionProviderNotAvailableException(Name, $"WebGPU cannot be used here: {reason.NativeMessage.Trim()}. {Remedy}", reason);
        }
    }

    /// <summary>What to do where there is no adapter.</summary>
    internal static string Remedy => OperatingSystem.IsLinux()
        ? "It needs Vulkan: the loader libvulkan.so.1 (Debian's libvulkan1) and a driver of the GPU that describes itself in /usr/share/vulkan/icd.d or in VK_DRIVER_FILES. Or choose Device.Cpu."
        : "It needs a GPU with a driver for Direct3D 12, Metal or Vulkan. Or choose Device.Cpu.";
}
