using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Loading on WebGPU: weights that variants share, and what is refused.</summary>
[Collection(WebGpuCollection.Name)]
public sealed class WebGpuLoadingTests
{
    [WebGpuFact]
    public void VariantsShareTheWeightsOfTheDevice()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            using ClipLlamaDense first = ClipLlamaDense.Load(checkpoint, WebGpuSessions.OnDevice);
            long uploaded = cache.Memory(WebGpuExecutionProvider.Instance).BytesToDevice;
            using ClipLlamaAll second = ClipLlamaAll.Load(checkpoint, WebGpuSessions.OnDevice);
            Assert.True(uploaded > 0);
            Assert.Equal(uploaded, cache.Memory(WebGpuExecutionProvider.Instance).BytesToDevice);
        }
        finally
        {
            cache.Release();
        }
    }

    [WebGpuFact]
    public void AnOperatorThatTheDeviceWouldLeaveToTheCpuIsRefusedByName()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            var graph = new GraphBuilder("rows.counted");
            string count = graph.Input(GraphNames.Rows, OrtElementType.Int64, "m");
            graph.Output(GraphNames.Y, graph.Node(Operator.Cast, "number", [count], NodeAttribute.Of("to", (long)OrtElementType.Float)), OrtElementType.Float, "m");
            var refusal = Assert.Throws<DeviceOperatorException>(() => cache.Build(WebGpuExecutionProvider.Instance, graph.Build()));
            Assert.Equal(["Cast"], refusal.Operators);
            Assert.Equal("rows.counted", refusal.Part);
            Assert.Contains("Device.Cpu", refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            cache.Release();
        }
    }

    [WebGpuTheory]
    [InlineData(Precision.Int8)]
    [InlineData(Precision.Int8PrefillInt4Decode)]
    public void EightBitWeightsAreRefused(Precision precision)
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        var refusal = Assert.Throws<PrecisionNotSupportedException>(() => ClipLlamaDense.Load(checkpoint, WebGpuSessions.OnDevice with { Precision = precision }));
        Assert.Contains("WebGpuExecutionProvider", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Precision.Int4", refusal.Message, StringComparison.Ordinal);
    }
}
