using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>A vision tower in doubles, written from the definition of the families and in no way from the graphs.</summary>
internal sealed class ReferenceVision(VisionGeometry geometry, TestWeights weights)
{
    private const string Tower = "vision_tower";

    /// <summary>Pixels, channel by channel and row by row, to the feature rows.</summary>
    public double[][] Features(float[] pixels)
    {
        double[][] x = Embed(pixels);
        for (int layer = 0; layer < geometry.FeatureLayers; layer++)
        {
            x = Layer(x, $"{Tower}.encoder.layers.{layer}");
        }

        return geometry.Family == VisionFamily.Clip && !geometry.KeepsCls ? x[1..] : x;
    }

    /// <summary>All rows, the attention that row 0 pays to the others (mean over heads, summed over some layers), and the others' keys in the last layer that runs (mean over heads).</summary>
    public (double[][] Rows, double[] ClsAttention, double[][] Keys) Scored(float[] pixels, int first, int last)
    {
        int size = geometry.Hidden / geometry.Heads;
        double[][] x = Embed(pixels);
        var attention = new double[x.Length - 1];
        double[][] meanKeys = [];
        for (int layer = 0; layer < geometry.FeatureLayers; layer++)
        {
            string module = $"{Tower}.encoder.layers.{layer}";
            double[][] normed = Array.ConvertAll(x, row => Norm(row, $"{module}.layer_norm1"));
            double[] query = Linear(normed[0], $"{module}.self_attn.q_proj", geometry.Hidden);
            double[][] keys = Array.ConvertAll(normed, row => Linear(row, $"{module}.self_attn.k_proj", geometry.Hidden));
            for (int start = 0; start < geometry.Hidden && first <= layer && layer <= last; start += size)
            {
                double[] scores = Array.ConvertAll(keys, key => Enumerable.Range(start, size).Sum(i => query[i] * key[i]) / Math.Sqrt(size));
                Reference.Softmax(scores);
                for (int patch = 0; patch < attention.Length; patch++)
                {
                    attention[patch] += scores[patch + 1] / geometry.Heads;
                }
            }

            meanKeys = Array.ConvertAll(keys[1..], key => Enumerable.Range(0, size).Select(i => Enumerable.Range(0, geometry.Heads).Average(head => key[(head * size) + i])).ToArray());
            x = Layer(x, module);
        }

        return (x, attention, meanKeys);
    }

    /// <summary>The rows before a layer, and what its attention is made of, mean over heads: scaled products, probabilities (a row a query), keys.</summary>
    public (double[][] Rows, double[] Logits, double[] Probabilities, double[] Keys) Inside(float[] pixels, int layer)
    {
        int size = geometry.Hidden / geometry.Heads;
        double[][] x = Embed(pixels);
        for (int before = 0; before < layer; before++)
        {
            x = Layer(x, $"{Tower}.encoder.layers.{before}");
        }

        string module = $"{Tower}.encoder.layers.{layer}";
        double[][] normed = Array.ConvertAll(x, row => Norm(row, $"{module}.layer_norm1"));
        double[][] queries = Array.ConvertAll(normed, row => Linear(row, $"{module}.self_attn.q_proj", geometry.Hidden));
        double[][] keys = Array.ConvertAll(normed, row => Linear(row, $"{module}.self_attn.k_proj", geometry.Hidden));
        var logits = new double[x.Length * x.Length];
        var probabilities = new double[x.Length * x.Length];
        for (int start = 0; start < geometry.Hidden; start += size)
        {
            for (int row = 0; row < x.Length; row++)
            {
                double[] scores = Array.ConvertAll(keys, key => Enumerable.Range(start, size).Sum(i => queries[row][i] * key[i]) / Math.Sqrt(size));
                for (int i = 0; i < x.Length; i++)
                {
                    logits[(row * x.Length) + i] += scores[i] / geometry.Heads;
                }

                Reference.Softmax(scores);
                for (int i = 0; i < x.Length; i++)
                {
                    probabilities[(row * x.Length) + i] += scores[i] / geometry.Heads;
                }
            }
        }

        return (x, logits, probabilities, [.. keys.SelectMany(key => Enumerable.Range(0, size).Select(i => Enumerable.Range(0, geometry.Heads).Average(head => key[(head * size) + i])))]);
    }

    public static double Activate(double x, Activation activation) => activation switch
    {
        Activation.QuickGelu => x / (1 + Math.Exp(-1.702 * x)),
        Activation.Silu => x / (1 + Math.Exp(-x)),
        Activation.Gelu => x / 2 * (1 + Erf(x / Math.Sqrt(2))),
        Activation.GeluTanh => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };

    // The Maclaurin series converges everywhere; the arguments here are small.
    private static double Erf(double x)
    {
        double sum = 0;
        double term = x;
        for (int n = 0; n < 200; n++)
        {
            sum += term / (2 * n + 1);
            term *= -x * x / (n + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private double[][] Embed(float[] pixels)
    {
        var (size, patch, grid) = (geometry.ImageSize, geometry.PatchSize, geometry.ImageSize / geometry.PatchSize);
        float[] kernel = weights.Get($"{Tower}.embeddings.patch_embedding.weight", geometry.Hidden, 3, patch, patch);
        var rows = new List<double[]>();
        if (geometry.Family == VisionFamily.Clip)
        {
            rows.Add(Reference.ToDoubles(weights.Get($"{Tower}.embeddings.class_embedding", geometry.Hidden)));
        }

        for (int top = 0; top < grid; top++)
        {
            for (int left = 0; left < grid; left++)
            {
                var values = new List<double>();
                for (int channel = 0; channel < 3; channel++)
                {
                    for (int y = 0; y < patch; y++)
                    {
                        for (int x = 0; x < patch; x++)
                        {
                            values.Add(pixels[(channel * size + top * patch + y) * size + left * patch + x]);
                        }
                    }
                }

                double[] row = Reference.Linear([.. values], kernel, geometry.Hidden);
                rows.Add(geometry.Family == VisionFamily.Siglip ? Sum(row, Reference.ToDoubles(weights.Get($"{Tower}.embeddings.patch_embedding.bias", geometry.Hidden))) : row);
            }
        }

        float[] positions = weights.Get($"{Tower}.embeddings.position_embedding.weight", rows.Count, geometry.Hidden);
        return rows
            .Select((row, index) => Sum(row, Reference.ToDoubles(positions.AsSpan(index * geometry.Hidden, geometry.Hidden).ToArray())))
            .Select(row => geometry.Family == VisionFamily.Clip ? Norm(row, $"{Tower}.pre_layrnorm") : row)
            .ToArray();
    }

    private double[][] Layer(double[][] x, string module)
    {
        double[][] normed = Array.ConvertAll(x, row => Norm(row, $"{module}.layer_norm1"));
        double[][] queries = Array.ConvertAll(normed, row => Linear(row, $"{module}.self_attn.q_proj", geometry.Hidden));
        double[][] keys = Array.ConvertAll(normed, row => Linear(row, $"{module}.self_attn.k_proj", geometry.Hidden));
        double[][] values = Array.ConvertAll(normed, row => Linear(row, $"{module}.self_attn.v_proj", geometry.Hidden));
        return x.Select((row, index) =>
        {
            double[] residual = Sum(row, Linear(Attend(queries[index], keys, values), $"{module}.self_attn.out_proj", geometry.Hidden));
            double[] inner = Linear(Norm(residual, $"{module}.layer_norm2"), $"{module}.mlp.fc1", geometry.Intermediate);
            return Sum(residual, Linear(Array.ConvertAll(inner, element => Activate(element, geometry.Activation)), $"{module}.mlp.fc2", geometry.Hidden));
        }).ToArray();
    }

    private double[] Attend(double[] query, double[][] keys, double[][] values)
    {
        int size = geometry.Hidden / geometry.Heads;
        var result = new double[geometry.Hidden];
        for (int start = 0; start < geometry.Hidden; start += size)
        {
            double[] scores = Array.ConvertAll(keys, key => Enumerable.Range(start, size).Sum(i => query[i] * key[i]) / Math.Sqrt(size));
            Reference.Softmax(scores);
            for (int i = start; i < start + size; i++)
            {
                result[i] = scores.Select((score, row) => score * values[row][i]).Sum();
            }
        }

        return result;
    }

    private double[] Linear(double[] x, string module, int width) =>
        Sum(Reference.Linear(x, weights.Get($"{module}.weight", width, x.Length), width), Reference.ToDoubles(weights.Get($"{module}.bias", width)));

    private double[] Norm(double[] x, string module)
    {
        double mean = x.Average();
        double deviation = Math.Sqrt(x.Average(element => (element - mean) * (element - mean)) + geometry.LayerNormEpsilon);
        var (gain, bias) = (weights.Get($"{module}.weight", geometry.Hidden), weights.Get($"{module}.bias", geometry.Hidden));
        return x.Select((element, i) => (element - mean) / deviation * gain[i] + bias[i]).ToArray();
    }

    private static double[] Sum(double[] left, double[] right) => left.Zip(right, (a, b) => a + b).ToArray();
}
