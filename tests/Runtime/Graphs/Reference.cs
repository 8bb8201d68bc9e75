namespace Espalier.Tests.Graphs;

/// <summary>Plain arithmetic in doubles that the references share.</summary>
internal static class Reference
{
    /// <summary>The product of a [outputs, inputs] matrix and a row.</summary>
    public static double[] Linear(double[] x, float[] weight, int outputs)
    {
        Assert.Equal(outputs * x.Length, weight.Length);
        var result = new double[outputs];
        for (int output = 0; output < outputs; output++)
        {
            for (int input = 0; input < x.Length; input++)
            {
                result[output] += x[input] * weight[output * x.Length + input];
            }
        }

        return result;
    }

    public static void Softmax(double[] scores)
    {
        double greatest = scores.Max();
        double sum = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            sum += scores[i] = Math.Exp(scores[i] - greatest);
        }

        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] /= sum;
        }
    }

    public static double[] ToDoubles(float[] elements) => Array.ConvertAll(elements, element => (double)element);

    /// <summary>Random rows that single precision holds exactly.</summary>
    public static double[][] RandomRows(Random random, int rows, int width) =>
        Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, width).Select(_ => (double)(float)(random.NextDouble() * 4 - 2)).ToArray()).ToArray();

    public static float[] Flatten(double[][] rows) => rows.SelectMany(row => row).Select(element => (float)element).ToArray();

    public static void AssertClose(double[][] expected, ReadOnlySpan<float> actual, double tolerance = 2e-5) => AssertClose(expected.SelectMany(row => row).ToArray(), actual, tolerance);

    public static void AssertClose(double[] expected, ReadOnlySpan<float> actual, double tolerance = 2e-5)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            // Written so that not-a-number fails.
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])), $"Element {i} is {actual[i]}, expected {expected[i]}.");
        }
    }
}
