using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Tests.Reduction;

namespace Espalier.Tests.Graphs;

/// <summary>AIM's importance, on the real library: the golden vector, and whole layers against all rows of the sequence in doubles.</summary>
public sealed class PageRankTests
{
    public static TheoryData<string> Geometries => TestGeometries.TextNames;

    [Fact]
    public void EqualsTheGoldenVector()
    {
        double[] logits = [.. ReductionGoldens.Lcg(36, 5), .. ReductionGoldens.Lcg(36, 6)];
        var masked = logits.Select((value, i) => i % 6 > i / 6 % 6 ? float.NegativeInfinity : (float)(value / PageRank.Temperature)).ToArray();
        AssertClose(ReductionGoldens.Small.GetProperty("aim_rank_2heads_n6").EnumerateArray().Select(static x => x.GetDouble()), Emit(masked, 2, 6, 6), relative: 2e-6, absolute: 1e-9);
    }

    [Fact]
    public void EqualsTheReferenceOfALongerSequence()
    {
        double[] logits = ReductionGoldens.Lcg(4 * 48 * 48, 61);

        // The first 12 rows are those before the image: keys, and no queries.
        var masked = Enumerable.Range(0, 4 * 48).Where(static row => row % 48 >= 12)
            .SelectMany(row => Enumerable.Range(0, 48).Select(key => key > row % 48 ? float.NegativeInfinity : (float)(0.3 * logits[(row * 48) + key]) / PageRank.Temperature)).ToArray();
        float[] importance = Emit(masked, 4, 36, 48);
        AssertClose(ReductionGoldens.Aim.GetProperty("rank").EnumerateArray().Select(static x => x.GetDouble()), importance, relative: 1e-5, absolute: 0);
        var kept = new int[18];
        TokenSelection.TopK(importance, kept);
        Assert.Equal(ReductionGoldens.Ints(ReductionGoldens.Aim.GetProperty("rank_18")), kept);
    }

    [Fact]
    public void WhatIsFarBelowOneIsStillRanked()
    {
        // Row 2 hands all but e^-10 of its mass on, in both heads: after five steps e^-50 of it is left, whose square no float holds.
        float[] head = [0, float.NegativeInfinity, float.NegativeInfinity, 0, 0, float.NegativeInfinity, 10, 10, 0];
        float[] importance = Emit([.. head, .. head], 2, 3, 3);
        double kept = Math.Pow(1 / (1 + (2 * Math.Exp(10))), 5) / 3;
        Assert.InRange(importance[2] / kept, 1 - 1e-4, 1 + 1e-4);
    }

    [Theory]
    [MemberData(nameof(Geometries))]
    public void ALayerHandsOutTheImportanceOfItsRowsAmongAllOfTheSequence(string name)
    {
        var (geometry, random) = (TestGeometries.Text(name), new Random(21));
        var weights = new TestWeights(31, geometry);
        var (reference, expected) = (new ReferenceDecoder(geometry, weights), new ReferenceCache());
        using var dense = new LayerBench(geometry, 1, LayerKind.Dense, weights);
        using var ranked = new LayerBench(geometry, 1, LayerKind.PageRanked, weights);
        using var cache = new TestCache(geometry, 20);
        var prefix = Reference.RandomRows(random, 4, geometry.Hidden);
        var rows = Reference.RandomRows(random, 9, geometry.Hidden);
        long[] positions = [4, 6, 7, 11, 19, 20, 30, 31, 32];
        reference.Layer(1, prefix, [0, 1, 2, 3], expected);
        var y = reference.Layer(1, rows, positions, expected);
        double[] importance = reference.PageRank(1, [.. prefix, .. rows], [0, 1, 2, 3, .. positions], temperature: 0.1, steps: 5);

        dense.Run(prefix, [0, 1, 2, 3], cache);
        Reference.AssertClose(y, ranked.Run(rows, positions, cache, out float[] score));
        AssertClose(importance.Skip(4), score, relative: 1e-3, absolute: 1e-7);
        cache.AssertEqual(expected);
    }

    private static float[] Emit(float[] masked, int heads, int rows, int keys)
    {
        var graph = new GraphBuilder("rank");
        string products = graph.Input("products", OrtElementType.Float, 1, heads, rows, keys);
        string rowCount = graph.Input("rows", OrtElementType.Int64, 1);
        string keyCount = graph.Input("keys", OrtElementType.Int64, 1);
        graph.Output("importance", PageRank.Emit(graph, "rank", products, heads, rowCount, keyCount), OrtElementType.Float, "n");
        using var session = new GraphSession(graph.Build(), new TestWeights(1, TestGeometries.Llama));
        using var input = NativeTensor.Of(masked, 1, heads, rows, keys);
        using var n = NativeTensor.Of([(long)rows], 1);
        using var k = NativeTensor.Of([(long)keys], 1);
        using var output = NativeTensor.Empty(rows);
        session.Run([("products", input), ("rows", n), ("keys", k)], [("importance", output)]);
        return output.Floats.ToArray();
    }

    private static void AssertClose(IEnumerable<double> expected, float[] actual, double relative, double absolute)
    {
        double[] wanted = [.. expected];
        Assert.Equal(wanted.Length, actual.Length);
        for (int i = 0; i < wanted.Length; i++)
        {
            Assert.True(Math.Abs(wanted[i] - actual[i]) <= (relative * wanted[i]) + absolute, $"Row {i} has {actual[i]}, expected {wanted[i]}.");
        }
    }
}
