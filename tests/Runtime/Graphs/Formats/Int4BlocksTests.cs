using Espalier.Graphs.Formats;

namespace Espalier.Tests.Graphs.Formats;

/// <summary>The int4 format on the real library against arithmetic that does the same in C#.</summary>
public sealed class Int4BlocksTests
{
    public static TheoryData<int, int, int, bool> Shapes => new()
    {
        { 1, 128, 37, false },
        { 1, 896, 130, true },
        { 7, 896, 130, true },
        { 75, 256, 64, false },

        // Inputs that are no multiple of a block, down to one shorter than a block and an odd one.
        { 1, 192, 33, true },
        { 9, 192, 33, false },
        { 1, 40, 16, true },
        { 5, 40, 16, true },
        { 3, 131, 7, false },
        { 40, 131, 70, true },
        { 1, 5, 1, true },
        { 2, 5, 1, false },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ComputesWhatTheArithmeticSays(int rows, int inputs, int outputs, bool biased)
    {
        var random = new Random(rows + inputs + outputs);
        float[] x = QuantisedLinear.Gaussian(random, rows * inputs, 3);
        float[] bias = QuantisedLinear.Gaussian(random, outputs);
        var layer = new QuantisedLinear(Int4Blocks.Instance, QuantisedLinear.Gaussian(random, inputs * outputs, 0.05), inputs, biased ? bias : null);

        float[] actual = layer.Run(x);

        var (expected, sizes) = Emulate(layer, x, biased ? bias : new float[outputs]);
        for (int i = 0; i < expected.Length; i++)
        {
            // The integers are exact. What remains is the order in which single precision adds lanes and blocks up.
            double tolerance = ((layer.Inputs / Int4Blocks.BlockLength) + 8) * Math.Pow(2, -24) * sizes[i];
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"Element {i} is {actual[i]}, expected {expected[i]} within {tolerance}.");
        }
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
        var layer = new QuantisedLinear(Int4Blocks.Instance, weights, Inputs);
        float[] undisturbed = layer.Run(x);
        for (int i = 0; i < Inputs; i++)
        {
            x[i] *= 100;
        }

        Assert.Equal(undisturbed[Outputs..], layer.Run(x)[Outputs..]);
        Assert.InRange(QuantisedLinear.RelativeError(QuantisedLinear.Exact(x, weights, Inputs), layer.Run(x)), 0.05, 0.13);
    }

    [Fact]
    public void WeightsComeBackWithinHalfAStepAndTheLargestExactly()
    {
        const int Inputs = 300;
        const int Blocks = 3;
        float[] weights = QuantisedLinear.Gaussian(new Random(6), Inputs * 70, 0.02);
        var layer = new QuantisedLinear(Int4Blocks.Instance, weights, Inputs);
        Assert.Equal(70 * Blocks, layer.Scales.Length);
        for (int i = 0; i < weights.Length; i++)
        {
            var (output, input) = (i / Inputs, i % Inputs);
            int start = input / Int4Blocks.BlockLength * Int4Blocks.BlockLength;
            float[] block = weights[((output * Inputs) + start)..((output * Inputs) + Math.Min(start + Int4Blocks.BlockLength, Inputs))];
            float largest = block.MaxBy(Math.Abs);
            float scale = layer.Scales[(output * Blocks) + (input / Int4Blocks.BlockLength)];
            Assert.Equal(largest / -8, scale);

            // Nothing is beyond 7 except where the other sign is nearly as large as the largest.
            double stored = Stored(layer, output, input, Blocks) * (double)scale;
            double bound = weights[i] / scale > 7.5 ? 1 : 0.500001;
            Assert.InRange(stored - weights[i], -bound * Math.Abs(scale), bound * Math.Abs(scale));
            Assert.True(weights[i] != largest || stored == largest);
        }

        // What fills the last block up is zero.
        Assert.All(Enumerable.Range(Inputs, (Blocks * Int4Blocks.BlockLength) - Inputs), input => Assert.Equal(0, Stored(layer, 5, input, Blocks)));
    }

    [Fact]
    public void HalvesGoToTheEvenInteger()
    {
        // The scale is 1: the largest magnitude is −8.
        float[] weights = [-8, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 7.5f];
        var layer = new QuantisedLinear(Int4Blocks.Instance, weights, weights.Length);
        Assert.Equal([1f], layer.Scales);
        Assert.Equal([-8, 0, 2, 2, 0, -2, -2, 7], Enumerable.Range(0, weights.Length).Select(input => Stored(layer, 0, input, 1)));
    }

    [Fact]
    public void BlocksOfZerosGiveZeros()
    {
        var layer = new QuantisedLinear(Int4Blocks.Instance, new float[200 * 3], 200);
        Assert.All(layer.Run(QuantisedLinear.Gaussian(new Random(7), 400)), static element => Assert.Equal(0, element));
    }

    private static int Stored(QuantisedLinear layer, int output, int input, int blocks)
    {
        byte pair = layer.Integers[(((output * blocks * Int4Blocks.BlockLength) + input) / 2)];
        return (input % 2 == 0 ? pair & 15 : pair >> 4) - 8;
    }

    /// <summary>What the kernel computes: each block of a row in eight bits, integers multiplied, blocks added in single precision. Beside each result the sum of the magnitudes that are added.</summary>
    private static (double[] Results, double[] Sizes) Emulate(QuantisedLinear layer, float[] x, float[] bias)
    {
        int rows = x.Length / layer.Inputs;
        int blocks = (layer.Inputs + Int4Blocks.BlockLength - 1) / Int4Blocks.BlockLength;
        var results = new double[rows * layer.Outputs];
        var sizes = new double[results.Length];
        for (int row = 0; row < rows; row++)
        {
            for (int block = 0; block < blocks; block++)
            {
                int start = block * Int4Blocks.BlockLength;
                float[] numbers = x[((row * layer.Inputs) + start)..((row * layer.Inputs) + Math.Min(start + Int4Blocks.BlockLength, layer.Inputs))];
                float largest = numbers.Max(Math.Abs);
                int[] quantised = Array.ConvertAll(numbers, number => (int)MathF.Round(number * (127 / largest)));
                for (int output = 0; output < layer.Outputs; output++)
                {
                    double scale = (double)(largest / 127) * layer.Scales[(output * blocks) + block];
                    int at = (row * layer.Outputs) + output;
                    results[at] += scale * quantised.Select((number, i) => number * Stored(layer, output, start + i, blocks)).Sum();

                    // The kernel keeps the integers unsigned and takes eight times the sum of the row off again, both in several lanes.
                    sizes[at] += Math.Abs(scale) * quantised.Select((number, i) => Math.Abs(number) * (Stored(layer, output, start + i, blocks) + 16)).Sum();
                }
            }
        }

        for (int i = 0; i < results.Length; i++)
        {
            results[i] += bias[i % layer.Outputs];
            sizes[i] += Math.Abs(bias[i % layer.Outputs]);
        }

        return (results, sizes);
    }
}
