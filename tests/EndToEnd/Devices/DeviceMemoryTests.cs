using Espalier.Graphs;
using Espalier.Graphs.Lowering;
using Espalier.OnnxRuntime;

namespace Espalier.Tests;

/// <summary>Memory of a device, rehearsed on the CPU: what there is too little of, and when the host waits for copies.</summary>
public sealed class DeviceMemoryTests
{
    [Fact]
    public void MemoryThatADeviceHasNotIsATypedError()
    {
        using DeviceMemory memory = MemoryProbe.Open(RehearsedDevice.Device.Provider);
        var error = Assert.Throws<DeviceMemoryException>(() => memory.Allocate((nuint)1 << 46));
        Assert.Equal(1L << 46, error.ByteLength);
        Assert.IsType<OrtException>(error.InnerException);
    }

    [Fact]
    public void ARunThatNeedsMoreMemoryThanThereIsIsATypedErrorToo()
    {
        ExecutionProvider provider = RehearsedDevice.Device.Provider;
        var graph = new GraphBuilder("vast");
        string x = graph.Input("x", OrtElementType.Float, 1);
        string vast = graph.Node(Operator.Expand, "vast", [x, graph.Constant(1 << 22, 1 << 22)]);
        string largest = graph.Node(Operator.ReduceMax, "largest", [vast, graph.Constant(0, 1)], NodeAttribute.Of("keepdims", 1));
        graph.Output("y", largest, OrtElementType.Float, 1, 1);
        using DeviceMemory memory = MemoryProbe.Open(provider);
        using OrtSessionOptions options = OrtSessionOptions.Create(provider);
        using OrtSession session = OrtSession.Create(graph.Build().Bytes, options);
        using var input = new DeviceTensor(memory, [1]);
        using var result = new DeviceTensor(memory, [1, 1]);
        using OrtBinding binding = OrtBinding.Create(session);
        binding.BindInput("x\0"u8, input.Value);
        binding.BindOutput("y\0"u8, result.Value);
        var error = Assert.Throws<DeviceMemoryException>(() => session.Run(binding));
        Assert.Contains("allocate memory", error.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhoeverWritesWhereACopyMayStillReadWaitsOnce()
    {
        using DeviceMemory memory = MemoryProbe.Open(RehearsedDevice.Device.Provider);
        using HostBuffer host = memory.AllocateHost(16);
        using DeviceBuffer device = memory.Allocate(16);
        host.AwaitUpload(memory);
        Assert.Equal(0, memory.Waits);
        memory.Upload(host, device, 16);
        host.AwaitUpload(memory);
        host.AwaitUpload(memory);
        Assert.Equal(1, memory.Waits);
        Assert.True(host.IsPinned);

        // Whoever gets the memory next writes there, too.
        memory.Upload(host, device, 16);
        host.Dispose();
        Assert.Equal(2, memory.Waits);
        host.Dispose();
        Assert.Equal(2, memory.Waits);
    }
}
