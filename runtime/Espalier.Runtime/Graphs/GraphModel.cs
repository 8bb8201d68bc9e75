using Espalier.Graphs.Onnx;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs;

/// <summary>A finished ONNX graph and the weights that its session must be given.</summary>
/// <remarks>The bytes hold no weight: each is declared as external data and is supplied by address when the session is made, so that a mapped checkpoint is used in place. Equal arguments give equal bytes.</remarks>
/// <param name="parts">What the graph consists of.</param>
internal sealed class GraphModel(GraphParts parts)
{
    /// <summary>The serialised ONNX model.</summary>
    public byte[] Bytes { get; } = parts.Write(place: null);

    /// <summary>Every weight of the graph, once, in the order of first use.</summary>
    public IReadOnlyList<WeightUse> Weights => parts.Weights;

    /// <summary>What the graph consists of.</summary>
    public GraphParts Parts => parts;

    /// <summary>The same model with its weights where a file has them.</summary>
    public byte[] WithWeightsAt(Func<WeightUse, WeightPlace> place) => parts.Write(place);
}

/// <summary>What a graph consists of, before it is serialised.</summary>
/// <param name="Name">The name of the graph.</param>
/// <param name="Nodes">The nodes, each behind those whose results it reads.</param>
/// <param name="Weights">What the session supplies, in the order of first use.</param>
/// <param name="Constants">What the graph holds.</param>
/// <param name="Inputs">The inputs.</param>
/// <param name="Outputs">The outputs.</param>
internal sealed record GraphParts(string Name, IReadOnlyList<Node> Nodes, IReadOnlyList<WeightUse> Weights, IReadOnlyList<Constant> Constants, IReadOnlyList<Value> Inputs, IReadOnlyList<Value> Outputs)
{
    /// <summary>Serialises the graph.</summary>
    /// <param name="place">Where a weight lies; null for a model whose weights a session is given by address.</param>
    public byte[] Write(Func<WeightUse, WeightPlace>? place) => ModelWriter.Write(Name, Nodes, Weights, Constants, Inputs, Outputs, place);
}

/// <summary>A weight that a graph reads.</summary>
/// <param name="Name">The initializer in the graph: the canonical name of a checkpoint's tensor, such as <c>language_model.layers.3.self_attn.q_proj.weight</c>, what a format stores for one, such as <c>language_model.layers.3.self_attn.q_proj.weight.int8</c>, or a derived name, such as <see cref="DerivedWeights.RopeCos"/>.</param>
/// <param name="Type">The element type that the graph expects.</param>
/// <param name="Shape">The shape that the graph expects; for a checkpoint's tensor it is the shape in the checkpoint.</param>
/// <param name="Slice">The rows or columns of a checkpoint's tensor that the weight is; null if it is all of it.</param>
internal sealed record WeightUse(string Name, OrtElementType Type, long[] Shape, WeightSlice? Slice = null)
{
    /// <summary>The canonical name of the checkpoint's tensor that the weight is, or is a part of.</summary>
    public string Source => RoundedFrom?.Source ?? Slice?.Whole ?? Name;

    /// <summary>The weight that this one is the transpose of; null for a weight that is used as it is stored.</summary>
    public WeightUse? TransposeOf { get; init; }

    /// <summary>The weight in single precision that this one is rounded from; null for one that is used in the precision that it is read in.</summary>
    public WeightUse? RoundedFrom { get; init; }

    /// <summary>The same weight in 16 bits.</summary>
    public WeightUse Rounded(OrtElementType half) => new(Name + (half == OrtElementType.Float16 ? ".f16" : ".bf16"), half, Shape, Slice) { RoundedFrom = this };

    /// <summary>Bytes of the whole tensor.</summary>
    public long ByteCount => checked((long)Type.Bytes(Shape));
}

/// <summary>The names of weights that no checkpoint holds because they follow from the geometry.</summary>
internal static class DerivedWeights
{
    /// <summary>Cosines of the rotary embedding, f32 [MaxPositions, HeadDim / 2]; see <see cref="RotaryTables"/>.</summary>
    public const string RopeCos = "rope.cos";

    /// <summary>Sines of the rotary embedding, f32 [MaxPositions, HeadDim / 2]; see <see cref="RotaryTables"/>.</summary>
    public const string RopeSin = "rope.sin";
}
