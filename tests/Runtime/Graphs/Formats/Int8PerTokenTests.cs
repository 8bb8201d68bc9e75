using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.Graphs.Formats;

/// <summary>The int8 format on the real library against arithmetic that does the same in C#.</summary>
public sealed class Int8PerTokenTests
{
    public static TheoryData<int, int, int, bool, bool> Shapes => new()
    {
        { 1, 48, 37, false, true },
        { 1, 48, 37, false, false },
        { 7, 896, 130, true, true },
        { 7, 896, 130, true, false },
        { 75, 200, 64, false, true },
        { 3, 5, 1, true, true },
        { 130, 64, 129, true, false },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ComputesWhatTheArithmeticSays(int rows, int inputs, int outputs, bool biased, bool signed)
    {
        var random = new Random(rows + inputs + outputs);
        float[] x = QuantisedLinear.Gaussian(random, rows * inputs, 3);
        float[] bias = QuantisedLinear.Gaussian(random, outputs);
        var layer = new QuantisedLinear(signed ? Int8PerToken.Signed : Int8PerToken.Unsigned, QuantisedLinear.Gaussian(random, inputs * outputs, 0.05), inputs, biased ? bias : null);

        float[] actual = layer.Run(x);

        float[] expected = Emulate(layer, x, biased ? bias : new float[outputs], signed);
        for (int i = 0; i < expected.Length; i++)
        {
            // The integers are exact; four roundings in single precision follow.
            double tolerance = 4 * Math.Pow(2, -24) * (Math.Abs(expected[i]) + (2 * Math.Abs(bias[i % outputs])));
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"Element {i} is {actual[i]}, expected {expected[i]}.");
        }
    }

    [Fact]
    public void BothSignsOfWeightsGiveTheSameBits()
    {
        var random = new Random(3);
        float[] weights = QuantisedLinear.Gaussian(random, 256 * 96);
        float[] x = QuantisedLinear.Gaussian(random, 20 * 256);
        Assert.Equal(new QuantisedLinear(Int8PerToken.Signed, weights, 256).Run(x), new QuantisedLinear(Int8PerToken.Unsigned, weights, 256).Run(x));
    }

    [Fact]
    public void AnOutlierTokenDoesNotRuinTheOthers()
    {
        const int Rows = 60;
        const int Inputs = 896;
        const int Outputs = 256;
        var random = new Random(4);
        float[] weights = QuantisedLinear.Gaussian(random, Inputs * Outputs);
        float[] x = QuantisedLinear.Gaussian(random, Rows * Inputs);
        var layer = new QuantisedLinear(Int8PerToken.Signed, weights, Inputs);
        double undisturbed = Error(layer.Run(x));

        for (int i = 0; i < Inputs; i++)
        {
            x[i] *= 100;
        }

        double perToken = Error(layer.Run(x));
        double perTensor = Error(RunPerTensor(layer, x));

        // Gaussian weights and rows in eight bits each: about 1 % whatever the outlier does, two thirds without the scaling.
        Assert.InRange(undisturbed, 0.002, 0.015);
        Assert.InRange(perToken, 0.002, 0.015);
        Assert.InRange(perTensor, 0.4, 1.0);

        // Of the rows that are no outlier.
        double Error(float[] actual) => QuantisedLinear.RelativeError(QuantisedLinear.Exact(x[Inputs..], weights, Inputs), actual.AsSpan(Outputs));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ARowIsMultipliedTheSameWhateverRowsAreBesideIt(bool signed)
    {
        var random = new Random(7);
        const int Inputs = 300;
        float[] x = QuantisedLinear.Gaussian(random, 40 * Inputs);
        var layer = new QuantisedLinear(signed ? Int8PerToken.Signed : Int8PerToken.Unsigned, QuantisedLinear.Gaussian(random, Inputs * 70), Inputs);
        float[] together = layer.Run(x);
        for (int row = 0; row < 40; row++)
        {
            Assert.Equal(layer.Run(x.AsSpan(row * Inputs, Inputs).ToArray()), together.AsSpan(row * layer.Outputs, layer.Outputs).ToArray());
        }
    }

    [Fact]
    public void RowsOfZerosAndOfTheSmallestNumbersStayWhatTheyAre()
    {
        var random = new Random(5);
        float[] weights = QuantisedLinear.Gaussian(random, 64 * 8);
        float[] normal = QuantisedLinear.Gaussian(random, 64);
        float[] x = [.. new float[64], .. normal, .. Enumerable.Repeat(float.Epsilon, 64), .. normal.Select(static number => number * 1e-30f)];
        float[] actual = new QuantisedLinear(Int8PerToken.Signed, weights, 64).Run(x);

        Assert.All(actual[..8], static element => Assert.Equal(0, element));
        Assert.All(actual[16..24], static element => Assert.InRange(element, -1e-36f, 1e-36f));
        for (int i = 8; i < 16; i++)
        {
            Assert.InRange(actual[i + 16], (actual[i] * 1e-30f) - 1e-36f, (actual[i] * 1e-30f) + 1e-36f);
        }

        Assert.All(new QuantisedLinear(Int8PerToken.Signed, weights, 64).Run(new float[64]), static element => Assert.Equal(0, element));
    }

    [Fact]
    public void WeightsComeBackWithinHalfAStep()
    {
        const int Inputs = 100;
        float[] weights = QuantisedLinear.Gaussian(new Random(6), Inputs * 70, 0.02);
        var layer = new QuantisedLinear(Int8PerToken.Signed, weights, Inputs);
        for (int output = 0; output < layer.Outputs; output++)
        {
            float scale = layer.Scales[output];
            Assert.Equal(weights.AsSpan(output * Inputs, Inputs).ToArray().Max(Math.Abs) / 127, scale);
            for (int input = 0; input < Inputs; input++)
            {
                double stored = (sbyte)layer.Integers[(input * layer.Outputs) + output] * (double)scale;
                Assert.InRange(stored - weights[(output * Inputs) + input], -0.500001 * scale, 0.500001 * scale);
            }
        }
    }

    [Fact]
    public void HalvesGoToTheEvenInteger()
    {
        // The scale is 1: the largest magnitude is 127.
        float[] weights = [127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f];
        var layer = new QuantisedLinear(Int8PerToken.Signed, weights, weights.Length);
        Assert.Equal(new sbyte[] { 127, 0, 2, 2, 0, -2, -2, 126 }, Array.ConvertAll(layer.Integers, static b => (sbyte)b));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void WeightsThatAreNoNumbersAreRefused(float weight)
    {
        float[] row = [1, weight, 2];
        Assert.False(Int8PerToken.Signed.Quantise(row, 0, 1, 1, new byte[3], new float[1]));
        Assert.False(Int4Blocks.Instance.Quantise(row, 0, 1, 1, new byte[Int4Blocks.BlockLength / 2], new float[1]));
    }

    /// <summary>What the graph computes, operation by operation in single precision; the arithmetic of the rows is that of ONNX's QuantizeLinear.</summary>
    private static float[] Emulate(QuantisedLinear layer, float[] x, float[] bias, bool signed)
    {
        float[] magnitudes = [.. x.Chunk(layer.Inputs).Select(static row => Math.Max(row.Max(Math.Abs), Int8PerToken.SmallestMagnitude))];
        float[] unit = [.. x.Select((number, i) => number * (1 / magnitudes[i / layer.Inputs]))];
        const float scale = Int8PerToken.ActivationScale;
        int[] quantised = [.. unit.Select(number => (int)Math.Clamp(MathF.Round(number / scale), -128, 127))];

        var result = new float[magnitudes.Length * layer.Outputs];
        for (int row = 0; row < magnitudes.Length; row++)
        {
            for (int output = 0; output < layer.Outputs; output++)
            {
                int sum = 0;
                for (int input = 0; input < layer.Inputs; input++)
                {
                    byte stored = layer.Integers[(input * layer.Outputs) + output];
                    sum += quantised[(row * layer.Inputs) + input] * (signed ? (sbyte)stored : stored - 128);
                }

                result[(row * layer.Outputs) + output] = (sum * (scale * layer.Scales[output]) * magnitudes[row]) + bias[output];
            }
        }

        return result;
    }

    private static float[] RunPerTensor(QuantisedLinear layer, float[] x)
    {
        int rows = x.Length / layer.Inputs;
        var graph = new GraphBuilder("tensor");
        string input = graph.Input("x", OrtElementType.Float, 1, "n", layer.Inputs);
        string matrix = graph.Weight("w", OrtElementType.Int8, layer.Inputs, layer.Outputs);
        string scales = graph.Weight("s", OrtElementType.Float, layer.Outputs);
        graph.Output("y", graph.Node(new Operator("DynamicQuantizeMatMul", Operator.Microsoft), "product", [input, matrix, scales]), OrtElementType.Float, 1, "n", layer.Outputs);
        GraphModel model = graph.Build();

        using OrtValue integers = OrtValue.Allocate([layer.Inputs, layer.Outputs], OrtElementType.Int8);
        layer.Integers.CopyTo(integers.AsSpan<byte>());
        using var scale = NativeTensor.Of(layer.Scales, layer.Outputs);
        using var options = OrtSessionOptions.Create();
        options.AddExternalInitializer("w", integers);
        options.AddExternalInitializer("s", scale.Value);
        using OrtSession session = OrtSession.Create(model.Bytes, options);
        using var tensor = NativeTensor.Of(x, 1, rows, layer.Inputs);
        using var y = NativeTensor.Empty(1, rows, layer.Outputs);
        using OrtBinding binding = OrtBinding.Create(session);
        binding.BindInput("x\0"u8, tensor.Value);
        binding.BindOutput("y\0"u8, y.Value);
        session.Run(binding);
        return y.Floats.ToArray();
    }
}
