using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>The keys and values of one decoder layer, by row: [KeyValueWidth] each.</summary>
internal sealed class ReferenceCache
{
    public List<double[]> Keys { get; } = [];

    public List<double[]> Values { get; } = [];
}

/// <summary>What visual rows, the first of a layer's, leave out.</summary>
/// <param name="VisualRows">How many rows are visual.</param>
/// <param name="Reads">True if a visual row attends to another, or to itself.</param>
/// <param name="DroppedHeads">Heads that they have not.</param>
/// <param name="Neurons">Which neurons they use, given what all rows activate.</param>
internal sealed record ReferenceLess(int VisualRows, Func<int, int, bool> Reads, int[] DroppedHeads, Func<double[][], bool[]> Neurons)
{
    /// <summary>True if a key is masked: no row reads it but the one that it belongs to.</summary>
    public Func<int, bool> Masks { get; init; } = static _ => false;

    public static ReferenceLess Nothing { get; } = new(0, static (_, _) => true, [], static activated => new bool[activated.Length > 0 ? activated[0].Length : 0]);
}

/// <summary>A decoder in doubles, written from the definition of the family and in no way from the graphs.</summary>
internal sealed class ReferenceDecoder(TextGeometry geometry, TestWeights weights)
{
    /// <summary>One layer on some rows, which are appended to the cache; each row attends to the cache and to the rows up to itself.</summary>
    /// <returns>The rows behind the layer.</returns>
    public double[][] Layer(int layer, double[][] x, long[] positions, ReferenceCache cache) => Layer(layer, x, positions, cache, out _);

    /// <summary>As above; <paramref name="score"/> is the attention of the last row, mean over heads.</summary>
    public double[][] Layer(int layer, double[][] x, long[] positions, ReferenceCache cache, out double[] score) => Layer(layer, x, positions, cache, ReferenceLess.Nothing, out score);

    /// <summary>As above; the first rows, the visual ones, leave out what <paramref name="less"/> says.</summary>
    public double[][] Layer(int layer, double[][] x, long[] positions, ReferenceCache cache, ReferenceLess less, out double[] score)
    {
        string module = $"language_model.layers.{layer}";
        double[][] queries = new double[x.Length][];
        int past = cache.Keys.Count;
        for (int row = 0; row < x.Length; row++)
        {
            double[] normed = Norm(x[row], $"{module}.input_layernorm.weight");
            queries[row] = Rotate(Biased(normed, $"{module}.self_attn.q_proj", geometry.QueryWidth), positions[row]);
            Append(module, normed, positions[row], cache);
        }

        score = [];
        var y = new double[x.Length][];
        var residuals = new double[x.Length][];
        var activated = new double[x.Length][];
        for (int row = 0; row < x.Length; row++)
        {
            bool isVisual = row < less.VisualRows;
            int last = isVisual ? less.VisualRows : row + 1;
            double[] attended = Attend(queries[row], cache, past + last, out score, key => (key == past + row || !less.Masks(key)) && (!isVisual || key < past || less.Reads(row, key - past)));
            for (int i = 0; isVisual && i < attended.Length; i++)
            {
                attended[i] = less.DroppedHeads.Contains(i / geometry.HeadDim) ? 0 : attended[i];
            }

            double[] residual = Sum(x[row], Reference.Linear(attended, weights.Get($"{module}.self_attn.o_proj.weight", geometry.Hidden, geometry.QueryWidth), geometry.Hidden));
            double[] normed = Norm(residual, $"{module}.post_attention_layernorm.weight");
            double[] gate = Reference.Linear(normed, weights.Get($"{module}.mlp.gate_proj.weight", geometry.Intermediate, geometry.Hidden), geometry.Intermediate);
            double[] up = Reference.Linear(normed, weights.Get($"{module}.mlp.up_proj.weight", geometry.Intermediate, geometry.Hidden), geometry.Intermediate);
            for (int i = 0; i < gate.Length; i++)
            {
                gate[i] = gate[i] / (1 + Math.Exp(-gate[i])) * up[i];
            }

            residuals[row] = residual;
            activated[row] = gate;
        }

        bool[] used = less.Neurons(activated);
        for (int row = 0; row < x.Length; row++)
        {
            double[] gated = row < less.VisualRows ? [.. activated[row].Select((value, neuron) => used[neuron] ? value : 0)] : activated[row];
            y[row] = Sum(residuals[row], Reference.Linear(gated, weights.Get($"{module}.mlp.down_proj.weight", geometry.Hidden, geometry.Intermediate), geometry.Hidden));
        }

        return y;
    }

    /// <summary>Visual rows that are read but not updated: only their keys and values are computed.</summary>
    public void Freeze(int layer, double[][] visual, long[] positions, ReferenceCache cache)
    {
        string module = $"language_model.layers.{layer}";
        for (int row = 0; row < visual.Length; row++)
        {
            Append(module, Norm(visual[row], $"{module}.input_layernorm.weight"), positions[row], cache);
        }
    }

    /// <summary>AIM's importance of every row of a whole sequence: PageRank over the sharpened causal attention of each head, root mean square over heads.</summary>
    public double[] PageRank(int layer, double[][] x, long[] positions, double temperature, int steps)
    {
        string module = $"language_model.layers.{layer}";
        var cache = new ReferenceCache();
        double[][] normed = [.. x.Select(row => Norm(row, $"{module}.input_layernorm.weight"))];
        double[][] queries = [.. normed.Select((row, i) => Rotate(Biased(row, $"{module}.self_attn.q_proj", geometry.QueryWidth), positions[i]))];
        for (int row = 0; row < x.Length; row++)
        {
            Append(module, normed[row], positions[row], cache);
        }

        var squares = new double[x.Length];
        for (int head = 0; head < geometry.Heads; head++)
        {
            int shared = head / (geometry.Heads / geometry.KeyValueHeads);
            double Product(int query, int key) => Enumerable.Range(0, geometry.HeadDim).Sum(i => queries[query][(head * geometry.HeadDim) + i] * cache.Keys[key][(shared * geometry.HeadDim) + i]);
            double[] mass = [.. Enumerable.Repeat(1.0 / x.Length, x.Length)];
            for (int step = 0; step < steps; step++)
            {
                var next = new double[x.Length];
                for (int from = 0; from < x.Length; from++)
                {
                    double[] attention = [.. Enumerable.Range(0, from + 1).Select(to => Product(from, to) / Math.Sqrt(geometry.HeadDim) / temperature)];
                    Reference.Softmax(attention);
                    for (int to = 0; to <= from; to++)
                    {
                        next[to] += mass[from] * attention[to];
                    }
                }

                mass = next;
            }

            for (int row = 0; row < x.Length; row++)
            {
                squares[row] += mass[row] * mass[row] / geometry.Heads;
            }
        }

        return [.. squares.Select(Math.Sqrt)];
    }

    public double[] Logits(double[] row, string weight) =>
        Reference.Linear(Norm(row, "language_model.norm.weight"), weights.Get(weight, geometry.Vocabulary, geometry.Hidden), geometry.Vocabulary);

    private void Append(string module, double[] normed, long position, ReferenceCache cache)
    {
        cache.Keys.Add(Rotate(Biased(normed, $"{module}.self_attn.k_proj", geometry.KeyValueWidth), position));
        cache.Values.Add(Biased(normed, $"{module}.self_attn.v_proj", geometry.KeyValueWidth));
    }

    private double[] Attend(double[] query, ReferenceCache cache, int rows, out double[] mean, Func<int, bool> reads)
    {
        int size = geometry.HeadDim;
        var result = new double[geometry.QueryWidth];
        mean = new double[rows];
        for (int head = 0; head < geometry.Heads; head++)
        {
            int shared = head / (geometry.Heads / geometry.KeyValueHeads);
            var scores = new double[rows];
            for (int row = 0; row < rows; row++)
            {
                for (int i = 0; i < size; i++)
                {
                    scores[row] += query[head * size + i] * cache.Keys[row][shared * size + i];
                }

                scores[row] = reads(row) ? scores[row] / Math.Sqrt(size) : double.NegativeInfinity;
            }

            Reference.Softmax(scores);
            for (int row = 0; row < rows; row++)
            {
                mean[row] += scores[row] / geometry.Heads;
                for (int i = 0; i < size; i++)
                {
                    result[head * size + i] += scores[row] * cache.Values[row][shared * size + i];
                }
            }
        }

        return result;
    }

    private double[] Rotate(double[] rows, long position)
    {
        int half = geometry.HeadDim / 2;
        var result = new double[rows.Length];
        for (int start = 0; start < rows.Length; start += geometry.HeadDim)
        {
            for (int i = 0; i < half; i++)
            {
                var (sine, cosine) = Math.SinCos(position * Math.Pow(geometry.RopeTheta, -2.0 * i / geometry.HeadDim));
                double first = rows[start + i];
                double second = rows[start + half + i];
                result[start + i] = first * cosine - second * sine;
                result[start + half + i] = second * cosine + first * sine;
            }
        }

        return result;
    }

    private double[] Biased(double[] x, string module, int width)
    {
        double[] result = Reference.Linear(x, weights.Get($"{module}.weight", width, x.Length), width);
        return geometry.QueryKeyValueBias ? Sum(result, Reference.ToDoubles(weights.Get($"{module}.bias", width))) : result;
    }

    private double[] Norm(double[] x, string weight)
    {
        double factor = 1 / Math.Sqrt(x.Average(element => element * element) + geometry.RmsNormEpsilon);
        return x.Zip(weights.Get(weight, geometry.Hidden), (element, gain) => element * factor * gain).ToArray();
    }

    private static double[] Sum(double[] left, double[] right) => left.Zip(right, (a, b) => a + b).ToArray();
}
