using System.Globalization;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Tests.Graphs.Onnx;
using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>What the builder guarantees about every graph: the same bytes for the same shapes, no weight inside, no dangling name.</summary>
public sealed class GraphBuilderTests
{
    [Fact]
    public void SameGeometryGivesSameBytesOnEveryCulture()
    {
        var before = Build();
        var culture = CultureInfo.CurrentCulture;
        try
        {
            // InvariantGlobalization knows one culture only; its number formats can still be bent.
            var bent = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            bent.NumberFormat.NegativeSign = "~";
            bent.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = bent;
            Assert.Equal(before, Build());
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }

        static byte[][] Build() => [.. All().Select(model => model.Bytes)];
    }

    [Fact]
    public void WeightsAreDeclaredAsExternalDataOfTheirSize()
    {
        foreach (var model in All())
        {
            var external = ModelProto.Parser.ParseFrom(model.Bytes).Graph.Initializer.Where(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.External).ToArray();
            Assert.Equal(model.Weights.Select(use => use.Name), external.Select(tensor => tensor.Name));
            for (int i = 0; i < external.Length; i++)
            {
                Assert.False(external[i].HasRawData);
                Assert.Equal(model.Weights[i].Shape, external[i].Dims);
                long bytes = external[i].Dims.Aggregate(model.Weights[i].Type == OrtElementType.Float ? 4L : 1L, (product, length) => product * length);
                Assert.Equal(bytes, model.Weights[i].ByteCount);
                Assert.Contains(external[i].ExternalData, entry => entry.Key == "length" && entry.Value == bytes.ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    [Fact]
    public void AReaderOfTheFormatKnowsEveryField()
    {
        foreach (var model in All())
        {
            var parsed = ModelProto.Parser.ParseFrom(model.Bytes);
            Assert.Equal(ModelProto.Parser.WithDiscardUnknownFields(true).ParseFrom(model.Bytes), parsed);
            Assert.Equal([("", 24L), ("com.microsoft", 1L)], parsed.OpsetImport.Select(opset => (opset.Domain, opset.Version)));
            Assert.All(parsed.Graph.Node, node => Assert.All(node.Attribute, attribute => Assert.True(attribute.Type switch
            {
                AttributeProto.Types.AttributeType.Float => attribute.HasF,
                AttributeProto.Types.AttributeType.Int => attribute.HasI,
                AttributeProto.Types.AttributeType.String => attribute.HasS,
                AttributeProto.Types.AttributeType.Ints => attribute.Ints.Count > 0,
                _ => false,
            })));
        }
    }

    [Fact]
    public void NumbersOfEverySizeAreReadBack()
    {
        long[] integers = [0, 1, -1, 127, 128, 16384, int.MaxValue, long.MaxValue, long.MinValue];
        var graph = new GraphBuilder("numbers");
        string x = graph.Input("x", OrtElementType.Float, "n", 7);
        string y = graph.Node(Operator.Add, "sum", [x, ""], [.. integers.Select((integer, i) => NodeAttribute.Of($"i{i}", integer)), NodeAttribute.Of("f", -0.1f), NodeAttribute.Of("s", "ü"), NodeAttribute.Of("list", integers)]);
        graph.Output("y", y, OrtElementType.Float, "n", 7);

        var read = ModelProto.Parser.ParseFrom(graph.Build().Bytes).Graph;
        Assert.Equal("numbers", read.Name);
        var node = Assert.Single(read.Node);
        Assert.Equal(["x", ""], node.Input);
        Assert.Equal(["y"], node.Output);
        Assert.Equal(("sum", "Add", ""), (node.Name, node.OpType, node.Domain));
        Assert.Equal(integers, node.Attribute.Take(integers.Length).Select(attribute => attribute.I));
        Assert.Equal(-0.1f, node.Attribute[^3].F);
        Assert.Equal("ü", node.Attribute[^2].S.ToStringUtf8());
        Assert.Equal(integers, node.Attribute[^1].Ints);
        Assert.Equal(("x", 1), (read.Input[0].Name, read.Input[0].Type.TensorType.ElemType));
        Assert.Equal(("n", 7L), (read.Input[0].Type.TensorType.Shape.Dim[0].DimParam, read.Input[0].Type.TensorType.Shape.Dim[1].DimValue));
    }

    [Fact]
    public void NothingButTinyConstantsIsEmbedded()
    {
        Assert.All(All(), model => Assert.All(
            ModelProto.Parser.ParseFrom(model.Bytes).Graph.Initializer.Where(tensor => tensor.HasRawData),
            tensor => Assert.True(tensor.RawData.Length <= 6 * sizeof(long), tensor.Name)));
    }

    [Fact]
    public void ScalarsAreEmbeddedOnce()
    {
        var graph = new GraphBuilder("graph");
        string x = graph.Input("x", OrtElementType.Float, 1, "n");
        string half = graph.Scalar(0.5f);
        Assert.Equal(half, graph.Scalar(0.5f));
        Assert.NotEqual(half, graph.Scalar(1.5f));
        Assert.Equal(graph.Scalar((byte)128), graph.Scalar((byte)128));
        graph.Output("y", graph.Node(Operator.Max, "max", [x, half]), OrtElementType.Float, 1, "n");

        var read = ModelProto.Parser.ParseFrom(graph.Build().Bytes).Graph.Initializer;
        Assert.Equal([1, 1, 2], read.Select(tensor => tensor.DataType));
        Assert.All(read, tensor => Assert.Empty(tensor.Dims));
        Assert.Equal([0.5f, 1.5f], read.Take(2).Select(tensor => BitConverter.ToSingle(tensor.RawData.Span)));
        Assert.Equal([128], read[2].RawData.ToByteArray());
    }

    [Fact]
    public void MistakesInAGraphAreRefused()
    {
        var graph = new GraphBuilder("graph");
        string x = graph.Input("x", OrtElementType.Float, 1, "n");
        graph.Weight("w", OrtElementType.Float, 2, 3);

        Assert.Throws<ArgumentException>(() => graph.Input("x", OrtElementType.Float, 1));
        Assert.Throws<ArgumentException>(() => graph.Weight("w", OrtElementType.Float, 3, 2));
        Assert.Throws<ArgumentException>(() => graph.Weight("w", OrtElementType.Int8, 2, 3));
        Assert.Throws<ArgumentException>(() => graph.Node(Operator.Add, "sum", [x, "nowhere"]));
        Assert.Throws<ArgumentException>(() => graph.Node(Operator.Add, "x", [x, x]));

        graph.Output("y", x, OrtElementType.Float, 1, "n");
        Assert.Throws<InvalidOperationException>(graph.Build);
    }

    [Fact]
    public void LayersOutsideTheDecoderAreRefused()
    {
        foreach (int layer in new[] { -1, TestGeometries.Llama.Layers })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => DecoderLayerGraph.Build(TestGeometries.Llama, layer, LayerKind.Dense, LinearFormat.Float32));
        }
    }

    [Fact]
    public void RotaryTablesHoldCosinesAndSinesOfPositionTimesFrequency()
    {
        var geometry = TestGeometries.Llama with { MaxPositions = 4096 };
        int width = RotaryTables.Width(geometry);
        var (cosines, sines) = (new float[4096 * width], new float[4096 * width]);
        RotaryTables.Fill(geometry, cosines, sines);

        foreach (var (position, pair) in new[] { (0, 0), (1, 0), (1, 7), (100, 3), (4095, 0), (4095, 5) })
        {
            var (sine, cosine) = Math.SinCos(position * Math.Pow(geometry.RopeTheta, -2.0 * pair / geometry.HeadDim));
            Assert.Equal(cosine, cosines[position * width + pair], 2e-4);
            Assert.Equal(sine, sines[position * width + pair], 2e-4);
        }

        Assert.Throws<ArgumentException>(() => RotaryTables.Fill(geometry, cosines.AsSpan(1), sines));
    }

    private static IEnumerable<GraphModel> All()
    {
        foreach (var format in new[] { LinearFormat.Float32, Int8PerToken.Signed, Int8PerToken.Unsigned, Int4Blocks.Instance })
        {
            foreach (var geometry in new[] { TestGeometries.Llama, TestGeometries.Qwen2 })
            {
                foreach (var kind in Enum.GetValues<LayerKind>())
                {
                    yield return DecoderLayerGraph.Build(geometry, 1, kind, format, kind.IsPartial() ? new PartialWork(VisualReach.Preceding, Distance: 3) : null);
                }

                yield return HeadGraph.Build(geometry, "lm_head.weight", format);
                yield return MonolithGraph.Build(geometry, "lm_head.weight", format);
                yield return ProjectorGraph.Build(new ModelGeometry("llava", TestGeometries.Clip, geometry, 5, Activation.Gelu), format);
            }

            yield return VisionGraph.Build(TestGeometries.Clip, format);
            yield return VisionGraph.Build(TestGeometries.Siglip, format);
        }

        yield return RowGraphs.Gather(TestGeometries.Llama.Hidden);
        yield return RowGraphs.Part(TestGeometries.Llama);
        yield return RowGraphs.Join(TestGeometries.Llama);
    }
}
