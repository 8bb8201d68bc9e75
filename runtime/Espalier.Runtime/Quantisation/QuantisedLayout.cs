using System.Globalization;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>A weight and what is stored for it.</summary>
/// <param name="Name">Canonical name; the shape is [<paramref name="Outputs"/>, <paramref name="Inputs"/>].</param>
/// <param name="Inputs">Width of the layer's input.</param>
/// <param name="Outputs">Width of its result.</param>
/// <param name="Integers">The stored integers.</param>
/// <param name="Scales">The stored scales.</param>
internal sealed record QuantisedWeight(string Name, int Inputs, int Outputs, WeightUse Integers, WeightUse Scales)
{
    /// <summary>The shape of the weight.</summary>
    public long[] Shape => [Outputs, Inputs];
}

/// <summary>What a file of quantised weights holds: one format, and one group of linear layers or those of one file of learned weights.</summary>
internal sealed class QuantisedLayout
{
    private QuantisedLayout(IWeightSource source, string name, QuantisedFormat format, IReadOnlyList<QuantisedWeight> weights)
    {
        Source = source;
        Format = format;
        Weights = weights;
        FileName = string.Create(CultureInfo.InvariantCulture, $"{name}-{format.Name}-v{format.Version}.safetensors");

        // Scales first: the data starts aligned, so each of them is, whatever the sizes of the integers.
        Tensors = [.. weights.Select(static weight => Declare(weight.Scales)), .. weights.Select(static weight => Declare(weight.Integers))];
    }

    /// <summary>Where the weights lie.</summary>
    public IWeightSource Source { get; }

    /// <summary>The format.</summary>
    public QuantisedFormat Format { get; }

    /// <summary>The weights, in the order in which they are made.</summary>
    public IReadOnlyList<QuantisedWeight> Weights { get; }

    /// <summary>The tensors of the file, in its order.</summary>
    public IReadOnlyList<DeclaredTensor> Tensors { get; }

    /// <summary>The name of the file.</summary>
    public string FileName { get; }

    /// <summary>Lays out a group of a checkpoint's linear layers.</summary>
    /// <exception cref="UnsupportedGeometryException">A weight has more than 2^31 elements.</exception>
    public static QuantisedLayout Of(Checkpoint checkpoint, LinearGroup group, QuantisedFormat format)
    {
        var weights = new List<QuantisedWeight>();
        foreach ((string name, long[] shape) in RequiredTensors.Of(checkpoint.Geometry))
        {
            if (shape.Length == 2 && IsLinear(group, name))
            {
                weights.Add(Weight(format, name, shape[1], shape[0]));
            }
        }

        if (group == LinearGroup.Decoder)
        {
            TextGeometry text = checkpoint.Geometry.Text;
            weights.Add(Weight(format, checkpoint.HeadTensorName, text.Hidden, text.Vocabulary));
        }

        return new QuantisedLayout(checkpoint, group == LinearGroup.Decoder ? "decoder" : "vision", format, weights);
    }

    /// <summary>Lays out linear layers that a method learned.</summary>
    /// <param name="source">The file of learned weights, or the checkpoint that has them.</param>
    /// <param name="name">What the file of quantised weights is called before its format: the learned file's own name.</param>
    /// <param name="tensors">The matrices, [outputs, inputs], whatever their order.</param>
    /// <param name="format">The format.</param>
    /// <exception cref="UnsupportedGeometryException">A weight has more than 2^31 elements.</exception>
    public static QuantisedLayout Of(IWeightSource source, string name, IEnumerable<(string Name, long[] Shape)> tensors, QuantisedFormat format) => new(
        source,
        name,
        format,
        [.. tensors.OrderBy(static tensor => tensor.Name, StringComparer.Ordinal).Select(tensor => Weight(format, tensor.Name, tensor.Shape[1], tensor.Shape[0]))]);

    private static QuantisedWeight Weight(QuantisedFormat format, string name, long inputs, long outputs)
    {
        if (inputs * outputs > int.MaxValue)
        {
            throw new UnsupportedGeometryException($"config.json: {name} has {inputs * outputs} elements; a quantised weight has at most {int.MaxValue}. Load the model with Precision.Float32.");
        }

        return new QuantisedWeight(name, (int)inputs, (int)outputs, format.Integers(name, (int)inputs, (int)outputs), format.Scales(name, (int)inputs, (int)outputs));
    }

    /// <summary>True for the matrices of linear layers; the tables of positions and tokens are matrices too.</summary>
    private static bool IsLinear(LinearGroup group, string name) => group == LinearGroup.Decoder
        ? name.StartsWith("language_model.layers.", StringComparison.Ordinal)
        : name.StartsWith("vision_tower.encoder.layers.", StringComparison.Ordinal) || name.StartsWith("multi_modal_projector.", StringComparison.Ordinal);

    private static DeclaredTensor Declare(WeightUse use) => new(
        use.Name,
        use.Type switch
        {
            OrtElementType.Float => TensorType.F32,
            OrtElementType.Int8 => TensorType.I8,
            OrtElementType.UInt8 => TensorType.U8,
            _ => throw new ArgumentOutOfRangeException(nameof(use), use.Type, "A format stores bytes and scales."),
        },
        use.Shape);
}
