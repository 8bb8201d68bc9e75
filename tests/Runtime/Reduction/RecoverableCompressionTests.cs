using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>Recoverable Compression's kernel against golden vectors, at its edges, and without garbage.</summary>
public sealed class RecoverableCompressionTests
{
    private const int Patches = 144;

    [Theory]
    [InlineData(InflectionCut.LocalOutlier, 8, 50)]
    [InlineData(InflectionCut.MaxDerivative, 5, 3)]
    [InlineData(InflectionCut.Chord, 200, 0)]
    public void EqualsThePythonReference(InflectionCut cut, int neighbours, double textWeight)
    {
        var kept = new int[Patches];
        var weights = new float[Patches * Patches];
        float[] features = Clustered(Patches, 64, 11);
        int count = RecoverableCompression.Select(
            Floats(Large.GetProperty("attention")), Clustered(Patches, 32, 21), Cosines(features, Floats(Lcg(64, 51))), cut, 9, neighbours, textWeight, new float[7 * Patches], kept, weights);
        Assert.Equal(Ints(Large.GetProperty($"recoverable_{cut}_kept")), kept[..count]);
        AssertClose(Floats(Large.GetProperty($"recoverable_{cut}")), Mix(weights[..(count * Patches)], features, Patches));
    }

    [Fact]
    public void WhatTheTextAsksForIsRecoveredInTheOrderOfTheImage()
    {
        // The largest step of the attention lies behind patch 7, of the relation to the text behind patches 2 and 9, of what is left behind patch 4.
        float[] attention = [0.10f, 0.11f, 0.12f, 0.13f, 0.30f, 0.14f, 0.15f, 0.90f, 0.16f, 0.17f];
        float[] text = [0.1f, 0.1f, 0.8f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.9f];
        var keys = new float[20];
        for (int i = 0; i < 10; i++)
        {
            (keys[2 * i], keys[(2 * i) + 1]) = (MathF.Cos(i / 10f), MathF.Sin(i / 10f));
        }

        var kept = new int[10];
        var weights = new float[10 * 11];
        int count = RecoverableCompression.Select(attention, keys, text, InflectionCut.MaxDerivative, 9, 2, 0, new float[70], kept, weights);
        Assert.Equal([2, 7, 9, 4, PruMerge.Rest], kept[..count]);

        // Behind the column of the CLS token: what stays is itself, the centre takes in the two nearest that do not stay, the rest is one token.
        Assert.Equal([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], weights[..11]);
        Assert.Equal([0, 0, 0, 0, 0.13f, 1, 0.14f, 0, 0, 0, 0], weights[33..44]);
        Assert.Equal([0, 0.10f, 0.11f, 0, 0.13f, 0, 0.14f, 0.15f, 0, 0.16f, 0], weights[44..55]);
    }

    [Fact]
    public void TheRelationToTheTextMovesTheNeighbours()
    {
        float[] attention = [0.9f, 0.3f, 0.11f, 0.12f, 0.13f, 0.1f];
        float[] text = [0.9f, 0.1f, 0.1f, 0.1f, 0.1f, 0.2f];
        var keys = new float[12];
        for (int i = 0; i < 6; i++)
        {
            (keys[2 * i], keys[(2 * i) + 1]) = (MathF.Cos(i / 10f), MathF.Sin(i / 10f));
        }

        int Neighbour(double textWeight)
        {
            var kept = new int[6];
            var weights = new float[36];
            int count = RecoverableCompression.Select(attention, keys, text, InflectionCut.MaxDerivative, 9, 1, textWeight, new float[42], kept, weights);
            Assert.Equal([0, 1, PruMerge.Rest], kept[..count]);
            return Enumerable.Range(2, 4).Single(patch => weights[6 + patch] != 0);
        }

        Assert.Equal(2, Neighbour(0));
        Assert.Equal(5, Neighbour(50));
    }

    [Fact]
    public void WithoutOutliersTheHighestScoreStays()
    {
        // No score of an even slope is a local outlier, neither of the attention nor of the text.
        float[] scores = [.. Enumerable.Range(0, 30).Select(static i => 1 - (i / 100f))];
        var kept = new int[30];
        var weights = new float[30 * 31];
        int count = RecoverableCompression.Select(scores, Floats(Lcg(120, 3)), scores, InflectionCut.LocalOutlier, 9, 4, 50, new float[210], kept, weights);
        Assert.Equal([0, PruMerge.Rest], kept[..count]);
    }

    [Fact]
    public void EqualScoresKeepAllPatches()
    {
        // Without a slope there is no tail, so there is no rest either.
        var scores = new float[12];
        Array.Fill(scores, 0.5f);
        var kept = new int[12];
        var weights = new float[12 * 13];
        Assert.Equal(12, RecoverableCompression.Select(scores, Floats(Lcg(48, 3)), scores, InflectionCut.LocalOutlier, 9, 3, 50, new float[84], kept, weights));
        Assert.Equal(Enumerable.Range(0, 12), kept);
        Assert.Equal(12, weights.Sum());
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        static void Refused(int patches, int keys, int text, int neighbours, int scratch, int kept, int weights) => Assert.Throws<ArgumentException>(() => RecoverableCompression.Select(
            new float[patches], new float[keys], new float[text], InflectionCut.Chord, 9, neighbours, 50, new float[scratch], new int[kept], new float[weights]));
        Refused(4, 7, 4, 1, 28, 4, 16);
        Refused(4, 0, 4, 1, 28, 4, 16);
        Refused(4, 8, 3, 1, 28, 4, 16);
        Refused(4, 8, 4, 0, 28, 4, 16);
        Refused(4, 8, 4, 1001, 28, 4, 16);
        Refused(4, 8, 4, 1, 27, 4, 16);
        Refused(4, 8, 4, 1, 28, 3, 12);
        Refused(4, 8, 4, 1, 28, 4, 24);
        Refused(0, 0, 0, 1, 0, 0, 0);
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] attention = Floats(Large.GetProperty("attention"));
        float[] keys = Clustered(Patches, 32, 21);
        var scratch = new float[7 * Patches];
        var kept = new int[Patches];
        var weights = new float[Patches * Patches];
        Allocation.AssertNone(() => RecoverableCompression.Select(attention, keys, attention, InflectionCut.LocalOutlier, 9, 32, 50, scratch, kept, weights));
    }

    private static float[] Cosines(float[] rows, float[] text) =>
        [.. rows.Chunk(text.Length).Select(row => (float)(row.Zip(text, static (a, b) => (double)a * b).Sum() / Math.Sqrt(row.Sum(static a => (double)a * a) * text.Sum(static b => (double)b * b))))];
}
