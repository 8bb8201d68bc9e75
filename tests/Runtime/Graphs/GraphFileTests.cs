using System.Globalization;
using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Tests.Graphs.Onnx;

namespace Espalier.Tests.Graphs;

/// <summary>The graphs that are written for viewers and other programs.</summary>
public sealed class GraphFileTests
{
    private static readonly SessionKey Layer = new(CpuExecutionProvider.Instance, ModelPart.DecoderLayer, Layer: 1, Kind: LayerKind.Frozen);

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.Int4)]
    public void WeightsBesideTheFileAreThoseInsideIt(Precision precision)
    {
        using var folder = new TemporaryFolder();
        using var checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples", "models", "shapes"));
        var options = new ModelOptions { Precision = precision, CacheFolder = folder["cache"] };
        long bytes = GraphFile.Write(checkpoint, Layer, options, folder["beside.onnx"], embed: false);
        Assert.Equal(bytes, GraphFile.Write(checkpoint, Layer, options, folder["inside.onnx"], embed: true));

        byte[] data = File.ReadAllBytes(folder["beside.onnx.data"]);
        GraphProto beside = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["beside.onnx"])).Graph;
        GraphProto inside = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["inside.onnx"])).Graph;
        Assert.Equal(beside.Node, inside.Node);
        long total = 0;
        for (int i = 0; i < beside.Initializer.Count; i++)
        {
            TensorProto tensor = beside.Initializer[i];
            Assert.Equal(tensor.Name, inside.Initializer[i].Name);
            Assert.NotEqual(TensorProto.Types.DataLocation.External, inside.Initializer[i].DataLocation);
            if (tensor.DataLocation != TensorProto.Types.DataLocation.External)
            {
                continue;
            }

            string Entry(string key) => tensor.ExternalData.Single(entry => entry.Key == key).Value;
            Assert.Equal("beside.onnx.data", Entry("location"));
            int offset = int.Parse(Entry("offset"), CultureInfo.InvariantCulture);
            int length = int.Parse(Entry("length"), CultureInfo.InvariantCulture);
            Assert.Equal(0, offset % 4096);
            Assert.True(data.AsSpan(offset, length).SequenceEqual(inside.Initializer[i].RawData.Span));
            total += length;
        }

        Assert.Equal(bytes, total);
    }

    [Fact]
    public void TheWeightsAreTheCheckpointsAndASessionTakesTheFile()
    {
        using var folder = new TemporaryFolder();
        using var checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples", "models", "shapes"));
        GraphFile.Write(checkpoint, Layer, new ModelOptions(), folder["layer.onnx"], embed: true);
        byte[] model = File.ReadAllBytes(folder["layer.onnx"]);
        const string Name = "language_model.layers.1.mlp.up_proj.weight";
        TensorProto weight = ModelProto.Parser.ParseFrom(model).Graph.Initializer.Single(tensor => tensor.Name == Name);
        Assert.True(checkpoint.TryGetTensor(Name, out CheckpointTensor tensor));
        float[] expected = new float[tensor.Elements];
        tensor.ReadFloats(0, expected);
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(weight.RawData.Span).SequenceEqual(expected));

        using OrtSessionOptions options = OrtSessionOptions.Create(CpuExecutionProvider.Instance);
        using OrtSession session = OrtSession.Create(model, options);
    }
}
