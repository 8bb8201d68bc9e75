namespace Espalier.OnnxRuntime;

/// <summary>Copies on the stream that all sessions run on: they take their place between the runs, and the host waits only where it has to read.</summary>
internal sealed unsafe class CudaCopies : DeviceCopies
{
    private readonly CudaStream _stream;
    private readonly OrtBinding _binding;
    private readonly DeviceBuffer _row;
    private readonly HeldTensor _output;

    /// <summary>Binds what <see cref="Wait"/> waits by.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="session">A session that gathers rows of four numbers.</param>
    /// <param name="allocator">Memory of the GPU.</param>
    /// <param name="memory">The description of that memory.</param>
    public CudaCopies(CudaStream stream, OrtSession session, OrtAllocator allocator, nint memory)
    {
        _stream = stream;
        _row = DeviceBuffer.Allocate(allocator, 4 * sizeof(float));
        _output = new HeldTensor(OrtRaw.CreateTensor(_row.Pointer, 4 * sizeof(float), [1, 1, 4], OrtElementType.Float, memory));
        _binding = OrtBinding.Create(session);

        // ONNX Runtime waits for the providers of the nodes that make the outputs that are bound; the session itself never runs.
        _binding.BindOutput("y\0"u8, _output.Value);
    }

    /// <inheritdoc/>
    public override void Copy(nint source, nint destination, nuint bytes)
    {
        using var stream = new HandleLease(_stream);
        OrtStatus.Check(OrtApi.Current.CopyTensors(OrtEnvironment.Shared.DangerousGetHandle(), &source, &destination, stream.Pointer, 1), "copy between host and device");
    }

    /// <inheritdoc/>
    public override void Wait() => _binding.SynchronizeOutputs();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _binding.Dispose();
        _output.Dispose();
        _row.Dispose();
    }
}
