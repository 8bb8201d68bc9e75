using System.Numerics.Tensors;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Formats;

/// <summary>A format whose weights are integers with scales: what it stores for a weight, and how it gets there from the numbers of the checkpoint.</summary>
/// <remarks>
/// For each weight of the checkpoint, [outputs, inputs], two tensors are stored, both in the order in which the kernel reads them.
/// The arithmetic is deterministic: single precision, one division by the scale, rounding to the nearest integer and halves to the even one,
/// so equal checkpoints give equal bytes on every machine. Stateless, thread-safe.
/// </remarks>
internal abstract class QuantisedFormat : LinearFormat
{
    /// <summary>Outputs that <see cref="Quantise"/> takes at a time, except for the last ones of a weight.</summary>
    public const int TileOutputs = 64;

    /// <summary>The format's name in file and tensor names, lower case.</summary>
    public abstract string Name { get; }

    /// <summary>Counts changes of what is stored; a file of another version is made anew.</summary>
    public abstract int Version { get; }

    /// <summary>The tensor of integers that stands for a weight.</summary>
    /// <param name="weight">The canonical name of the checkpoint's weight.</param>
    /// <param name="inputs">Its second dimension.</param>
    /// <param name="outputs">Its first dimension.</param>
    public abstract WeightUse Integers(string weight, int inputs, int outputs);

    /// <summary>The tensor of scales, f32.</summary>
    /// <inheritdoc cref="Integers"/>
    public abstract WeightUse Scales(string weight, int inputs, int outputs);

    /// <summary>Quantises some consecutive outputs of a weight.</summary>
    /// <param name="rows">Their weights, row-major [<paramref name="count"/>, inputs]. Used as scratch.</param>
    /// <param name="first">The first of these outputs.</param>
    /// <param name="count">How many there are: <see cref="TileOutputs"/> at most.</param>
    /// <param name="outputs">The outputs of the whole weight.</param>
    /// <param name="integers">The whole tensor of <see cref="Integers"/>, of which the part of these outputs is written.</param>
    /// <param name="scales">The whole tensor of <see cref="Scales"/>, likewise.</param>
    /// <returns>False if one of the weights is infinite or not a number; what was written is of no use then.</returns>
    public abstract bool Quantise(Span<float> rows, int first, int count, int outputs, Span<byte> integers, Span<float> scales);

    /// <summary>Turns weights into whole numbers of a scale, in place: rounded to the nearest, halves to the even one, and clamped.</summary>
    protected static void Round(Span<float> weights, float scale, float least, float greatest)
    {
        // Weights too small for a normal scale are zeros in single precision too.
        if (!float.IsNormal(scale))
        {
            weights.Clear();
            return;
        }

        TensorPrimitives.Divide(weights, scale, weights);
        TensorPrimitives.Round(weights, weights);
        TensorPrimitives.Clamp(weights, least, greatest, weights);
    }

    private protected WeightUse Use(string weight, string suffix, OrtElementType type, params long[] shape) => new($"{weight}.{Name}{suffix}", type, shape);

    private protected static string Declare(GraphBuilder graph, WeightUse use) => graph.Weight(use.Name, use.Type, use.Shape);
}
