using Espalier.Graphs.Onnx;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs;

/// <summary>A finished ONNX graph and the weights that its session must be given.</summary>
/// <remarks>The bytes hold no weight: each is declared as external data and is supplied by address when the session is made, so that a mapped checkpoint is used in place. Equal arguments give equal bytes.</remarks>
/// <param name="bytes">The serialised ONNX model.</param>
/// <param name="weights">The weights, in the order of their first use.</param>
/// <param name="write">Serialises the model once more, with weights at other places.</param>
internal sealed class GraphModel(byte[] bytes, IReadOnlyList<WeightUse> weights, Func<Func<WeightUse, WeightPlace>, byte[]> write)
{
    /// <summary>The serialised ONNX model.</summary>
    public byte[] Bytes { get; } = bytes;

    /// <summary>Every weight of the graph, once, in the order of first use.</summary>
    public IReadOnlyList<WeightUse> Weights { get; } = weights;

    /// <summary>The same model with its weights where a file has them.</summary>
    public byte[] WithWeightsAt(Func<WeightUse, WeightPlace> place) => write(place);
}

/// <summary>A weight that a graph reads.</summary>
/// <param name="Name">The initializer in the graph: the canonical name of a checkpoint's tensor, such as <c>language_model.layers.3.self_attn.q_proj.weight</c>, what a format stores for one, such as <c>language_model.layers.3.self_attn.q_proj.weight.int8</c>, or a derived name, such as <see cref="DerivedWeights.RopeCos"/>.</param>
/// <param name="Type">The element type that the graph expects.</param>
/// <param name="Shape">The shape that the graph expects; for a checkpoint's tensor it is the shape in the checkpoint.</param>
/// <param name="Slice">The rows or columns of a checkpoint's tensor that the weight is; null if it is all of it.</param>
internal sealed record WeightUse(string Name, OrtElementType Type, long[] Shape, WeightSlice? Slice = null)
{
    /// <summary>The canonical name of the checkpoint's tensor that the weight is, or is a part of.</summary>
    public string Source => Slice?.Whole ?? Name;

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
