using Espalier.OnnxRuntime;

namespace Espalier.Tests;

/// <summary>A device made of the CPU: its kernels, behind memory that only copies reach, a thread of its own for decode steps, and all else that CUDA asks of a model. What CUDA alone has, its kernels, stream and graphs, it has not.</summary>
internal sealed unsafe class RehearsedDevice : ExecutionProvider
{
    /// <summary>The device.</summary>
    public static Device Device { get; } = new("rehearsal", new RehearsedDevice());

    /// <inheritdoc/>
    public override string Name => "CPUExecutionProvider";

    /// <inheritdoc/>
    public override DeviceThread ReplayThread { get; } = new("Espalier rehearsal");

    /// <inheritdoc/>
    public override string PinnedMemory => "Cpu";

    /// <inheritdoc/>
    public override string? WhyNot(OrtElementType rows) => CpuExecutionProvider.Instance.WhyNot(rows);

    /// <inheritdoc/>
    public override DeviceCopies OpenCopies(OrtSession session, OrtAllocator allocator, nint memory) => new Copies();

    /// <inheritdoc/>
    public override EspalierException? Explain(OrtException failure) => CudaFailure.Explain(Name, failure);

    /// <inheritdoc/>
    public override void AppendTo(OrtSessionOptions options) => options.SetEntry("session.record_ep_graph_assignment_info\0"u8, "1\0"u8);

    private sealed class Copies : DeviceCopies
    {
        public override void Copy(nint source, nint destination, nuint bytes)
        {
            void* from;
            void* to;
            OrtStatus.Check(OrtApi.Current.GetTensorMutableData(source, &from), "read a tensor");
            OrtStatus.Check(OrtApi.Current.GetTensorMutableData(destination, &to), "read a tensor");
            Buffer.MemoryCopy(from, to, bytes, bytes);
        }

        public override void Wait()
        {
        }
    }
}
