using Espalier.Graphs.Formats;
using Espalier.Graphs.Lowering;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>What was found of a device: whether models can run on it, and why not or how.</summary>
/// <param name="Device">The device.</param>
/// <param name="IsUsable">True if a session ran on it and was right.</param>
/// <param name="Description">What was found: one sentence, or the error with what to do.</param>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed record DeviceFinding(Device Device, bool IsUsable, string Description)
{
    /// <summary>Looks for every kind of device. Each is opened and runs a small graph, which is compared with the CPU: a second at most.</summary>
    /// <returns>The CPU first.</returns>
    /// <exception cref="EspalierException">ONNX Runtime is missing or too old.</exception>
    public static IReadOnlyList<DeviceFinding> All() => [Cpu(), WebGpu(), Cuda()];

    private static DeviceFinding Cpu() =>
        new(Device.Cpu, true, $"{OrtEnvironment.Shared.Threads} threads, ONNX Runtime {OnnxRuntimeLibrary.Version}; every precision but those of GPUs.");

    private static DeviceFinding WebGpu()
    {
        ExecutionProvider provider = Device.WebGpu.Provider;
        try
        {
            using DeviceMemory memory = MemoryProbe.Open(provider);
            bool exact = AttentionProbe.IsExact(provider, memory);
            bool fourBits = FormatProbe.IsExact(Int4Blocks.Instance, provider, memory);
            IReadOnlyList<string> gpus = HardwareGpus.Of(provider);
            string adapter = gpus.Count > 0 ? string.Join(", ", gpus) : "a driver without a GPU that ONNX Runtime knows, perhaps one in software";
            string attention = exact ? "its attention over many rows agrees with the CPU's" : "its attention over many rows is wrong, as where subgroups have four lanes, and is spelled out in other operators";
            return new DeviceFinding(Device.WebGpu, true, $"{adapter}; memory {memory.Name}; {attention}. Precision.Float32{(fourBits ? " and Precision.Int4" : "; its products of four-bit weights are wrong")}.");
        }
        catch (EspalierException e)
        {
            return new DeviceFinding(Device.WebGpu, false, e.Message);
        }
    }

    private static DeviceFinding Cuda()
    {
        try
        {
            ExecutionProvider provider = Device.Cuda.Provider;
            using DeviceMemory memory = MemoryProbe.Open(provider);
            bool exact = AttentionProbe.IsExact(provider, memory, OrtElementType.Float16);
            string attention = exact ? "its attention in half precision agrees with the CPU's" : "its attention in half precision is not the CPU's: do not use it, and report it";
            return new DeviceFinding(Device.Cuda, exact, $"{string.Join(", ", HardwareGpus.Of(provider))}; memory {memory.Name}; {attention}. Precision.Float16 and Precision.BFloat16.");
        }
        catch (EspalierException e)
        {
            return new DeviceFinding(Device.Cuda, false, e.Message);
        }
    }
}
