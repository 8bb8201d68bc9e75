using Espalier.Graphs;
using Espalier.Planning;
using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>SparseVLM+'s kernel and the view that it reads against golden vectors, at their edges, and without garbage.</summary>
public sealed class SparseVlmPlusTests
{
    private const int Heads = 5;
    private static readonly long[] Raters = [.. Enumerable.Range(0, 9).Select(static i => 130L + (3 * i))];
    private static readonly long[] Visual = [.. Enumerable.Range(4, 120).Select(static i => (long)i)];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void EqualsThePythonReference(int heads)
    {
        var scores = new float[120];
        var kept = new int[30];
        SparseVlmPlus.Select(scores, View(Attention(), Responses(160)), heads, new float[2 * Heads], kept);
        AssertClose(Floats(Decoder.GetProperty($"sparsevlm_plus_{heads}")), scores);
        Assert.Equal(Ints(Decoder.GetProperty($"sparsevlm_plus_{heads}_kept")), kept);
    }

    [Fact]
    public void TheResponseIsThatOfRotatedOnes()
    {
        // Rotated one by one and multiplied, in doubles: pairs turn by their positions times theta to the power of -2 p / D.
        float[] responses = Responses(60);
        foreach ((int query, int key) in ((int, int)[])[(0, 0), (59, 0), (40, 17), (31, 30)])
        {
            double product = 0;
            for (int pair = 0; pair < 8; pair++)
            {
                double frequency = Math.Pow(10000, -pair / 8.0);
                (double s, double c) = Math.SinCos(query * frequency);
                (double t, double d) = Math.SinCos(key * frequency);
                product += ((c - s) * (d - t)) + ((c + s) * (d + t));
            }

            Assert.Equal(product / 4, responses[query - key], 1e-5);
        }
    }

    [Fact]
    public void TheMeansAreThoseOfAllHeads()
    {
        float[] attention = Attention();
        RaterAttention view = View(attention);
        var scores = new float[120];
        view.Mean(scores);
        var rows = new float[9 * 120];
        view.MeanOverHeads(rows);
        for (int token = 0; token < 120; token++)
        {
            double[] column = [.. Enumerable.Range(0, 45).Select(row => (double)attention[(row * 130) + 4 + token])];
            Assert.Equal(column.Average(), scores[token], 1e-7);
            Assert.Equal(column.Where((_, row) => row % 9 == 2).Average(), rows[(2 * 120) + token], 1e-7);
        }
    }

    [Fact]
    public void OfEqualHeadsTheFirstCounts()
    {
        // Two heads of equal mass that look at different tokens.
        var view = new RaterAttention([0.75f, 0.25f, 0.25f, 0.75f], heads: 2, prefixRows: 0, raterPositions: [2], visualPositions: [0, 1], responses: [1, 1, 1]);
        var scores = new float[2];
        var kept = new int[1];
        SparseVlmPlus.Select(scores, view, heads: 1, new float[3], kept);
        Assert.Equal([0.75f, 0.25f], scores);
        Assert.Equal(0, kept[0]);

        // Where distance alone would make a quarter of it, attention counts four times.
        view = new RaterAttention([0.75f, 0.25f], heads: 1, prefixRows: 0, raterPositions: [2], visualPositions: [0, 1], responses: [9, 0.25f, 1]);
        SparseVlmPlus.Select(scores, view, heads: 1, new float[2], kept);
        Assert.Equal([0.75f, 1f], scores);
        Assert.Equal(1, kept[0]);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => new RaterAttention(new float[11], 2, 0, new long[3], new long[2]));
        Assert.Throws<ArgumentException>(static () => new RaterAttention(new float[12], 2, 1, new long[3], new long[2]));
        Assert.Throws<ArgumentException>(static () => new RaterAttention(new float[12], 2, -1, new long[3], new long[2]));
        Assert.Throws<ArgumentException>(static () => new RaterAttention([], 2, 0, [], new long[2]));
        Assert.Throws<ArgumentException>(static () => SparseVlmPlus.Select(new float[1], Small(), 1, new float[4], new int[1]));
        Assert.Throws<ArgumentException>(static () => SparseVlmPlus.Select(new float[2], Small(), 3, new float[8], new int[1]));
        Assert.Throws<ArgumentException>(static () => SparseVlmPlus.Select(new float[2], Small(), 0, new float[8], new int[1]));
        Assert.Throws<ArgumentException>(static () => SparseVlmPlus.Select(new float[2], Small(), 2, new float[3], new int[1]));

        static RaterAttention Small() => new(new float[4], 2, 0, [5], [3, 4], new float[3]);
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] attention = Attention();
        float[] responses = Responses(160);
        var scores = new float[120];
        var kept = new int[30];
        var scratch = new float[10];
        Allocation.AssertNone(() => SparseVlmPlus.Select(scores, View(attention, responses), 3, scratch, kept));
    }

    /// <summary>Five heads, nine raters, 130 keys: each row a softmax.</summary>
    internal static float[] Attention() =>
    [
        .. Lcg(45 * 130, 71).Select(static x => Math.Exp(6 * x)).Chunk(130).SelectMany(static row =>
        {
            double sum = row.Sum();
            return row.Select(x => (float)(x / sum));
        }),
    ];

    internal static RaterAttention View(float[] attention, float[]? responses = null) => new(attention, Heads, prefixRows: 4, Raters, Visual, responses);

    private static float[] Responses(int distances)
    {
        TextGeometry text = Graphs.TestGeometries.Llama with { HeadDim = 16, RopeTheta = 10000 };
        return RotaryTables.Responses(text, distances);
    }
}
