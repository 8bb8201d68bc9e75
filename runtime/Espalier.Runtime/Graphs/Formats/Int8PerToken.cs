using System.Buffers;
using System.Numerics.Tensors;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Formats;

/// <summary>Eight-bit weights with a scale for each output, and activations quantised to eight bits with a scale for each token.</summary>
/// <remarks>
/// <para>The kernel, MatMulIntegerToFloat, takes one scale for all rows together. With a scale of their own making, one row with an outlier would take the
/// resolution of all others: a token of 100 times the size costs them 63 % of their accuracy. Each row is therefore divided by its largest magnitude
/// before and multiplied by it after, and the one scale is always that of magnitude 1. So a row's product depends on no other row: it is the
/// same in a prompt, alone and in a batch, bit by bit. Dividing and quantising are done once for an input, however many layers read it.</para>
/// <para>Weights are symmetric: the scale is the largest magnitude of an output over 127. The kernel wants them [inputs, outputs].</para>
/// </remarks>
internal sealed class Int8PerToken : QuantisedFormat
{
    /// <summary>What a row is divided by at least: the smallest normal number, whose reciprocal is finite, so that a row of zeros stays zeros.</summary>
    public const float SmallestMagnitude = 1.17549435e-38f;

    private const float Greatest = 127;
    private const byte UnsignedZero = 128;

    /// <summary>What stands for zero in quantised rows.</summary>
    public const byte ActivationZero = 128;

    /// <summary>One step of a quantised row whose largest magnitude is 1.</summary>
    public const float ActivationScale = 1f / 127;

    private readonly bool _signed;

    private Int8PerToken(bool signed) => _signed = signed;

    /// <summary>Signed weights: what the dot products of today's CPUs take (VNNI, ARM's dot product).</summary>
    public static Int8PerToken Signed { get; } = new(signed: true);

    /// <summary>The same weights plus 128, for CPUs whose product of unsigned and signed bytes saturates at 16 bits (AVX2 without VNNI): slower, and exact.</summary>
    public static Int8PerToken Unsigned { get; } = new(signed: false);

    public override string Name => _signed ? "int8" : "int8-unsigned";

    public override int Version => 1;

    public override string Linear(GraphBuilder graph, string result, string input, string weight, string? bias, int inputWidth, int outputWidth)
    {
        var (bytes, magnitude) = Scale(graph, input);
        string integers = Declare(graph, Integers(weight, inputWidth, outputWidth));
        string scales = Declare(graph, Scales(weight, inputWidth, outputWidth));
        string step = graph.Scalar(ActivationScale);
        string zero = graph.Scalar(ActivationZero);
        ReadOnlySpan<string> inputs = _signed ? [bytes, integers, step, scales, zero] : [bytes, integers, step, scales, zero, graph.Scalar(UnsignedZero)];
        string product = graph.Node(Operator.MatMulIntegerToFloat, $"{result}.product", inputs);
        if (bias is null)
        {
            return graph.Node(Operator.Mul, result, [product, magnitude]);
        }

        string scaled = graph.Node(Operator.Mul, $"{result}.scaled", [product, magnitude]);
        return graph.Node(Operator.Add, result, [scaled, graph.Weight(bias, OrtElementType.Float, outputWidth)]);
    }

    public override WeightUse Integers(string weight, int inputs, int outputs) => Use(weight, "", _signed ? OrtElementType.Int8 : OrtElementType.UInt8, inputs, outputs);

    public override WeightUse Scales(string weight, int inputs, int outputs) => Use(weight, ".scale", OrtElementType.Float, outputs);

    public override bool Quantise(Span<float> rows, int first, int count, int outputs, Span<byte> integers, Span<float> scales)
    {
        int inputs = rows.Length / count;
        byte zero = _signed ? (byte)0 : UnsignedZero;
        byte[] tile = ArrayPool<byte>.Shared.Rent(rows.Length);
        try
        {
            for (int row = 0; row < count; row++)
            {
                Span<float> weights = rows.Slice(row * inputs, inputs);
                float scale = TensorPrimitives.MaxMagnitude<float>(weights) / Greatest;
                if (!float.IsFinite(scale))
                {
                    return false;
                }

                scale = MathF.Abs(scale);
                Round(weights, scale, -Greatest, Greatest);
                scales[first + row] = scale;
                for (int input = 0; input < inputs; input++)
                {
                    tile[(row * inputs) + input] = unchecked((byte)((int)weights[input] + zero));
                }
            }

            // The rows of the tile become columns. A tile is small enough to be read from the cache.
            for (int input = 0; input < inputs; input++)
            {
                Span<byte> column = integers.Slice((input * outputs) + first, count);
                for (int row = 0; row < column.Length; row++)
                {
                    column[row] = tile[(row * inputs) + input];
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(tile);
        }
    }

    /// <summary>Emits rows in eight bits whose largest magnitude is 127 steps, and the magnitudes that they had; both once for an input.</summary>
    private static (string Bytes, string Magnitude) Scale(GraphBuilder graph, string input)
    {
        var (bytes, magnitude) = ($"{input}.bytes", $"{input}.magnitude");
        if (!graph.Has(bytes))
        {
            // Two reductions and a product take 0.6 of the time of the shorter way, Abs, ReduceMax and Div: they write one value of this shape, not two.
            string axis = graph.Constant(-1);
            string greatest = graph.Node(Operator.ReduceMax, $"{input}.greatest", [input, axis], NodeAttribute.Of("keepdims", 1));
            string least = graph.Node(Operator.ReduceMin, $"{input}.least", [input, axis], NodeAttribute.Of("keepdims", 1));
            string negated = graph.Node(Operator.Neg, $"{input}.least.negated", [least]);
            graph.Node(Operator.Max, magnitude, [greatest, negated, graph.Scalar(SmallestMagnitude)]);
            string unit = graph.Node(Operator.Mul, $"{input}.unit", [input, graph.Node(Operator.Reciprocal, $"{input}.reciprocal", [magnitude])]);
            graph.Node(Operator.QuantizeLinear, bytes, [unit, graph.Scalar(ActivationScale), graph.Scalar(ActivationZero)]);
        }

        return (bytes, magnitude);
    }
}
