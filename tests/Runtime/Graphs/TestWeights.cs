using System.Text;
using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>Random weights by name: the same name gets the same numbers in every graph and in the reference.</summary>
internal sealed class TestWeights(int seed, TextGeometry? text = null) : IWeights
{
    private readonly Dictionary<string, float[]> _weights = new(StringComparer.Ordinal);

    /// <summary>The weight, made at its first use.</summary>
    public float[] Get(string name, params ReadOnlySpan<long> shape)
    {
        int count = 1;
        foreach (long length in shape)
        {
            count = checked(count * (int)length);
        }

        if (!_weights.TryGetValue(name, out float[]? weight))
        {
            _weights.Add(name, weight = Make(name, shape, count));
        }

        Assert.Equal(count, weight.Length);
        return weight;
    }

    public float[] Get(WeightUse use)
    {
        if (use.Slice is not { } slice)
        {
            return Get(use.Name, use.Shape);
        }

        // Told the plain way: the whole as a matrix, and of it the rows or columns.
        float[] whole = Get(slice.Whole, slice.WholeShape);
        int width = slice.WholeShape.Length == 1 ? 1 : (int)slice.WholeShape[1];
        int[] chosen = [.. slice.Runs.SelectMany(static run => Enumerable.Range(run.Start, run.Count))];
        return slice.OfColumns
            ? [.. Enumerable.Range(0, (int)slice.WholeShape[0]).SelectMany(row => chosen.Select(column => whole[(row * width) + column]))]
            : [.. chosen.SelectMany(row => Enumerable.Range(0, width).Select(column => whole[(row * width) + column]))];
    }

    private float[] Make(string name, ReadOnlySpan<long> shape, int count)
    {
        var weight = new float[count];
        if (name is DerivedWeights.RopeCos or DerivedWeights.RopeSin)
        {
            var other = new float[count];
            var (cosines, sines) = name == DerivedWeights.RopeCos ? (weight, other) : (other, weight);
            RotaryTables.Fill(text!, cosines, sines);
            return weight;
        }

        var random = new Random(seed ^ Encoding.UTF8.GetBytes(name).Aggregate(17, (hash, letter) => unchecked(hash * 31 + letter)));
        bool norm = name.Contains("norm", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal);
        double scale = shape.Length >= 2 ? 1.5 / Math.Sqrt((double)count / shape[0]) : 0.2;
        for (int i = 0; i < count; i++)
        {
            weight[i] = (float)((random.NextDouble() * 2 - 1) * scale + (norm ? 1 : 0));
        }

        return weight;
    }
}
