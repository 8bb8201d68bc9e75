using Espalier.Graphs;
using Espalier.Graphs.Lowering;
using Espalier.Graphs.Onnx;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Tests.Graphs.Lowering;

/// <summary>What 16 bits are made of in a graph, and what stays in 32.</summary>
public sealed class HalfLoweringTests
{
    // What of our operators has a CUDA kernel for both kinds of 16 bits: docs/OperatorKernels.md of ONNX Runtime 1.30. GatherElements, ReduceMean, ReduceL1, TopK have none for bfloat16.
    private static readonly HashSet<string> HalfKernels = new(StringComparer.Ordinal)
    {
        "Add", "Cast", "Concat", "Conv", "Expand", "FusedMatMul", "Gather", "Gelu", "GroupQueryAttention", "LayerNormalization", "Mul", "MultiHeadAttention", "QuickGelu", "Reshape",
        "RotaryEmbedding", "SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization", "Slice", "Split", "Sub", "TensorScatter", "Transpose",
    };

    // Operators whose inputs of numbers are of one type, and the outputs too.
    private static readonly HashSet<string> OfOneType = new(StringComparer.Ordinal)
    {
        "Abs", "Add", "Concat", "Conv", "FusedMatMul", "Gelu", "GroupQueryAttention", "LayerNormalization", "Max", "Mul", "MultiHeadAttention", "QuickGelu", "RotaryEmbedding",
        "SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization", "Softmax", "Sub", "TensorScatter",
    };

    public static TheoryData<string, string> Graphs()
    {
        var graphs = new TheoryData<string, string>();
        foreach (string name in All().Keys)
        {
            graphs.Add(name, nameof(OrtElementType.Float16));
            graphs.Add(name, nameof(OrtElementType.BFloat16));
        }

        return graphs;
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void TypesFitAndCudaHasAKernelForEachNode(string name, string type)
    {
        OrtElementType half = Enum.Parse<OrtElementType>(type);
        (GraphModel graph, bool hasLinearLayers) = All()[name];
        GraphParts lowered = HalfLowering.Lower(graph, half, hasLinearLayers).Parts;
        var types = new Dictionary<string, OrtElementType>(StringComparer.Ordinal);
        lowered.Inputs.ToList().ForEach(value => types.Add(value.Name, value.Type));
        lowered.Weights.ToList().ForEach(value => types.Add(value.Name, value.Type));
        lowered.Constants.ToList().ForEach(value => types.Add(value.Name, value.Type));
        foreach (Node node in lowered.Nodes)
        {
            OrtElementType[] numbers = [.. node.Inputs.Where(static input => input.Length > 0).Select(input => types[input]).Where(found => found == half || found == OrtElementType.Float)];
            Assert.True(!OfOneType.Contains(node.Operator.Name) || numbers.Distinct().Count() <= 1, $"{node.Operator.Name} '{node.Name}' reads {string.Join(", ", numbers)}.");
            Assert.True(!numbers.Contains(half) || HalfKernels.Contains(node.Operator.Name), $"{node.Operator.Name} '{node.Name}' has no kernel for {half}.");
            for (int i = 0; i < node.Outputs.Length; i++)
            {
                if (node.Outputs[i].Length > 0)
                {
                    types.Add(node.Outputs[i], TypeOf(node, i, types, numbers));
                }
            }
        }

        Assert.All(lowered.Outputs, output => Assert.Equal(output.Type, types[output.Name]));
        Assert.All(lowered.Inputs.Concat(lowered.Outputs).Where(static value => value.Name is GraphNames.X or GraphNames.Y or GraphNames.PastKey or GraphNames.PresentValue or GraphNames.ScatteredKey or GraphNames.Features), value => Assert.Equal(half, value.Type));
        Assert.All(lowered.Inputs.Concat(lowered.Outputs).Where(static value => value.Name is GraphNames.Score or GraphNames.Map or GraphNames.Logits or GraphNames.Gate or GraphNames.Own or GraphNames.Shares or GraphNames.Weights or GraphNames.Pixels or GraphNames.Keys or GraphNames.ClsAttention), static value => Assert.Equal(OrtElementType.Float, value.Type));
    }

    [Fact]
    public void AWholeLayerNeedsNoCast()
    {
        GraphParts lowered = HalfLowering.Lower(DecoderLayerGraph.Build(TestGeometries.Qwen2, 1, LayerKind.Dense, LinearFormat.Float32), OrtElementType.Float16, hasLinearLayers: true).Parts;
        Assert.DoesNotContain(lowered.Nodes, static node => node.Operator == Operator.Cast);
        Assert.All(lowered.Weights, static use => Assert.Equal(OrtElementType.Float16, use.Type));
        Assert.All(lowered.Weights, static use => Assert.NotNull(use.RoundedFrom));
        Assert.Contains(lowered.Weights, static use => use.Name == "language_model.layers.1.self_attn.q_proj.weight.f16" && use.Source == "language_model.layers.1.self_attn.q_proj.weight");
    }

    [Fact]
    public void ScoresAreMultipliedAndAddedUpIn32Bits()
    {
        GraphParts lowered = HalfLowering.Lower(DecoderLayerGraph.Build(TestGeometries.Qwen2, 1, LayerKind.Scored, LinearFormat.Float32), OrtElementType.Float16, hasLinearLayers: true).Parts;
        var casts = lowered.Nodes.Where(static node => node.Operator == Operator.Cast).ToDictionary(static node => node.Outputs[0]);
        Node products = lowered.Nodes.Single(static node => node.Name.EndsWith(".scores", StringComparison.Ordinal));
        Assert.All(products.Inputs, input => Assert.Equal((long)OrtElementType.Float, casts[input].Attributes[0].Integer));
        Assert.Equal(2, casts.Count);
    }

    [Fact]
    public void AGateAndAMergeComputeIn32BitsBetweenRowsOf16()
    {
        GraphParts gate = HalfLowering.Lower(GateGraph.Build(TestGeometries.Qwen2, 1, 8, LinearFormat.Float32), OrtElementType.BFloat16, hasLinearLayers: false).Parts;
        Assert.All(gate.Weights, static use => Assert.Equal(OrtElementType.Float, use.Type));
        GraphParts merge = HalfLowering.Lower(RowGraphs.Absorb(8), OrtElementType.BFloat16, hasLinearLayers: false).Parts;
        Assert.Equal(OrtElementType.BFloat16, merge.Outputs[0].Type);
        Assert.Equal(Operator.Cast, merge.Nodes[^1].Operator);
    }

    private static Dictionary<string, (GraphModel Graph, bool HasLinearLayers)> All()
    {
        TextGeometry text = TestGeometries.Qwen2;
        var graphs = new Dictionary<string, (GraphModel, bool)>(StringComparer.Ordinal);
        foreach (LayerKind kind in Enum.GetValues<LayerKind>())
        {
            foreach (PartialWork? work in kind.IsPartial() ? (PartialWork?[])[new PartialWork(VisualReach.Preceding, Distance: 3)] : [null])
            {
                graphs.Add($"layer {kind}", (DecoderLayerGraph.Build(text, 1, kind, LinearFormat.Float32, work), true));
            }
        }

        graphs.Add("feed-forward", (DecoderLayerGraph.BuildFeedForward(text, 1, LinearFormat.Float32), true));
        graphs.Add("decode attention", (DecodeHalfGraphs.Attention(text, 1, LinearFormat.Float32), true));
        graphs.Add("decode feed-forward", (DecodeHalfGraphs.FeedForward(text, 1, LinearFormat.Float32), true));
        graphs.Add("score ahead", (LayerScoreGraph.Build(text, 1, LinearFormat.Float32), true));
        graphs.Add("head", (HeadGraph.Build(text, "lm_head.weight", LinearFormat.Float32), true));
        graphs.Add("clip", (VisionGraph.Build(TestGeometries.Clip, LinearFormat.Float32), true));
        graphs.Add("siglip", (VisionGraph.Build(TestGeometries.Siglip, LinearFormat.Float32), true));
        graphs.Add("gate", (GateGraph.Build(text, 1, 8, LinearFormat.Float32), false));
        graphs.Add("gather", (RowGraphs.Gather(8), false));
        graphs.Add("merge", (RowGraphs.Merge(8), false));
        graphs.Add("absorb", (RowGraphs.Absorb(8), false));
        graphs.Add("keep cached", (RowGraphs.KeepCached(text), false));
        graphs.Add("take prefix", (RowGraphs.TakePrefix(text), false));
        graphs.Add("put prefix", (RowGraphs.PutPrefix(text), false));
        graphs.Add("norm", (RowGraphs.FinalNorm(text), false));
        graphs.Add("part", (RowGraphs.Part(text), false));
        graphs.Add("join", (RowGraphs.Join(text), false));
        return graphs;
    }

    private static OrtElementType TypeOf(Node node, int output, Dictionary<string, OrtElementType> types, OrtElementType[] numbers) =>
        node.Operator == Operator.Cast ? (OrtElementType)node.Attributes[0].Integer!.Value
        : node.Operator == Operator.Shape || (node.Operator == Operator.TopK && output == 1) ? OrtElementType.Int64
        : numbers.Length > 0 ? numbers[0]
        : types[node.Inputs[0]];
}
