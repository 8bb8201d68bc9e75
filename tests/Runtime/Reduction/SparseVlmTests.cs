using Espalier.Planning;
using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>SparseVLM's kernels against golden vectors, at their edges, and without garbage.</summary>
public sealed class SparseVlmTests
{
    [Fact]
    public void RatersEqualTheSmallGolden()
    {
        var golden = Small.GetProperty("sparse_raters");
        float[] tokens = Floats(Lcg(16 * 8, 1));
        var relevance = new float[6];
        TextRaters.Relevance(tokens.AsSpan(0, 80), tokens.AsSpan(80), 8, new float[6], relevance);
        AssertClose(Floats(golden.GetProperty("mean")), relevance, 1e-6f);
        var raters = new int[6];
        int count = TextRaters.Select(tokens.AsSpan(0, 80), tokens.AsSpan(80), 8, new float[12], raters);
        Assert.Equal(Ints(golden.GetProperty("idx")), raters[..count]);
    }

    [Fact]
    public void RatersEqualThePythonReference()
    {
        float[] visual = Clustered(144, 64, 11);
        float[] text = Clustered(40, 64, 61, centres: 7);
        var relevance = new float[40];
        TextRaters.Relevance(visual, text, 64, new float[40], relevance);
        AssertClose(Floats(Decoder.GetProperty("sparsevlm_relevance")), relevance);
        var raters = new int[40];
        int count = TextRaters.Select(visual, text, 64, new float[80], raters);
        Assert.Equal(Ints(Decoder.GetProperty("sparsevlm_raters")), raters[..count]);
    }

    [Fact]
    public void WhereNoTextTokenIsAboveTheMeanAllRate()
    {
        // The code takes those above the mean, the paper those at it too: with one token, or equal ones, the code would be left with none.
        var raters = new int[3];
        Assert.Equal(1, TextRaters.Select([1, 2], [3, 4], 2, new float[2], raters));
        Assert.Equal(3, TextRaters.Select([1, 0], [3, 4, 3, 5, 3, 6], 2, new float[6], raters));
        Assert.Equal([0, 1, 2], raters);

        // Products that overflow an exponential are no trouble.
        Assert.Equal(1, TextRaters.Select([1000, 0], [1000, 0, 0, 1, 900, 0], 2, new float[6], raters));
        Assert.Equal(0, raters[0]);
    }

    [Theory]
    [InlineData(192)]
    [InlineData(128)]
    [InlineData(96)]
    [InlineData(64)]
    public void CountsEqualTheSmallGolden(int name)
    {
        int tokens = 576;
        foreach (int[] stage in Small.GetProperty("sparse_counts").GetProperty(name.ToString(System.Globalization.CultureInfo.InvariantCulture)).EnumerateArray().Select(static stage => Ints(stage)))
        {
            int keep = SparseVlm.Count(tokens, stage[0]);
            int pool = Recycling.Pool(tokens - keep, 0.3);
            Assert.Equal(stage, (int[])[keep, tokens - keep, pool, Recycling.Clusters(pool), Recycling.Left(tokens, keep, 0.3)]);
            tokens = Recycling.Left(tokens, keep, 0.3);
        }
    }

    [Fact]
    public void NothingIsRecycledWithoutAShareOrWithoutLeavingTokens()
    {
        Assert.Equal([0, 0, 1, 10], [Recycling.Pool(10, 0), Recycling.Pool(0, 0.3), Recycling.Pool(1, 0.9), Recycling.Pool(10, 1)]);
        Assert.Equal([0, 1, 1, 2], [Recycling.Clusters(0), Recycling.Clusters(1), Recycling.Clusters(9), Recycling.Clusters(10)]);
        Assert.Equal([7, 10], [Recycling.Left(10, 7, 0), Recycling.Left(10, 9, 0.3)]);
    }

    [Theory]
    [InlineData(12, 576, 13.5, 0, 162)]
    [InlineData(12, 576, 9, 6, 114)]
    [InlineData(12, 576, 0.8, 0, 9)]
    [InlineData(50, 576, 13.5, 0, 575)]
    [InlineData(25, 25, 0.8, 0, 25)]
    [InlineData(1, 25, 0.8, 0, 0)]
    public void TheFirstReleaseCountsByRank(int rank, int tokens, double scale, double bias, int keep) => Assert.Equal(keep, SparseVlm.Count(rank, tokens, scale, bias));

    [Theory]
    [InlineData(12, 576, 1, 12)]
    [InlineData(12, 576, 0.5, 294)]
    [InlineData(11, 576, 0.5, 294)]
    [InlineData(25, 25, 1, 25)]
    public void ThePaperCountsByRank(int rank, int tokens, double lambda, int keep) => Assert.Equal(keep, SparseVlm.Count(rank, tokens, lambda));

    [Theory]
    [InlineData(72, 0.3)]
    [InlineData(20, 0.9)]
    [InlineData(0, 0.5)]
    [InlineData(143, 0.3)]
    [InlineData(40, 1.0)]
    public void RecyclingEqualsThePythonReference(int keep, double tau)
    {
        string name = FormattableString.Invariant($"sparsevlm_{keep}_{tau:0.0}");
        float[] rows = Clustered(144, 64, 11);
        Merge merge = Recycle(Attention(), rows, keep, tau);
        Assert.Equal(Ints(Decoder.GetProperty(name + "_kept")), merge.Kept);
        Assert.Equal(Enumerable.Range(0, 144).Except(merge.Kept), merge.Absorbed);
        AssertClose(Floats(Decoder.GetProperty(name)), merge.Apply([.. rows.Chunk(64).SelectMany(static row => row[..8])], 8));
    }

    [Fact]
    public void OfEqualScoresAndEqualRowsTheLowerIndexIsTaken()
    {
        // Twelve equal tokens: the first four stay, three of the others are recycled, all into the first of them.
        Merge merge = Recycle(new float[12], new float[24], keep: 4, tau: 0.3);
        Assert.Equal([0, 1, 2, 3, 4], merge.Kept);
        Assert.Equal(Enumerable.Range(5, 7), merge.Absorbed);
        Assert.Equal([1, 1, 1, 1, 1 / 3f], merge.Own);
        Assert.Equal([1 / 3f, 1 / 3f, 0, 0, 0, 0, 0], merge.Shares[28..]);
        Assert.All(merge.Shares[..28], static share => Assert.Equal(0, share));
    }

    [Fact]
    public void IfAllStayNothingIsMerged()
    {
        Merge merge = Recycle([3, 1, 2], new float[6], keep: 3, tau: 0.3);
        Assert.Equal([0, 1, 2], merge.Kept);
        Assert.Equal([1, 1, 1], merge.Own);
    }

    [Fact]
    public void WithoutRecyclingOneTokenStaysAtLeast()
    {
        var kept = new int[4];
        Assert.Equal(1, SparseVlm.Select([1, 5, 2, 3], 1, 0.8, 0, kept));
        Assert.Equal(1, kept[0]);
        Assert.Equal(3, SparseVlm.Select([1, 5, 2, 3], 2, 0.5, kept));
        Assert.Equal([1, 2, 3], kept[..3]);
        Assert.Equal(4, SparseVlm.Select([1, 5, 2, 3], 4, 0.8, 0, kept));
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => TextRaters.Select([1, 2], [], 2, [], []));
        Assert.Throws<ArgumentException>(static () => TextRaters.Select([1, 2, 3], [1, 2], 2, new float[2], new int[1]));
        Assert.Throws<ArgumentException>(static () => TextRaters.Select([1, 2], [1, 2], 2, new float[1], new int[1]));
        Assert.Throws<ArgumentException>(static () => TextRaters.Select([1, 2], [1, 2], 2, new float[2], []));
        Assert.Throws<ArgumentException>(static () => SparseVlm.Select(new float[12], new float[24], 4, 0.3, new float[68], new Merge(5, 7).Rows));
        Assert.Throws<ArgumentException>(static () => SparseVlm.Select(new float[12], new float[24], 4, 0.3, new float[69], new Merge(6, 6).Rows));
        Assert.Throws<ArgumentException>(static () => SparseVlm.Select(new float[12], new float[25], 4, 0.3, new float[69], new Merge(5, 7).Rows));
        Assert.Throws<ArgumentException>(static () => SparseVlm.Select(new float[12], new float[24], 13, 0.3, new float[69], new Merge(13, 0).Rows));
        Assert.Throws<ArgumentException>(static () => SparseVlm.Select(new float[4], 2, 0.5, new int[3]));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] scores = Attention();
        float[] rows = Clustered(144, 64, 11);
        float[] text = Clustered(40, 64, 61, centres: 7);
        var merge = new Merge(Recycling.Left(144, 72, 0.3), 144 - Recycling.Left(144, 72, 0.3));
        var scratch = new float[(22 * 22) + (5 * 144)];
        var raters = new int[40];
        Allocation.AssertNone(Run);

        void Run()
        {
            TextRaters.Select(rows, text, 64, scratch, raters);
            SparseVlm.Select(scores, rows, 72, 0.3, scratch, merge.Rows);
        }
    }

    private static float[] Attention()
    {
        double[] exponentials = [.. Lcg(144, 41).Select(static x => Math.Exp(8 * x))];
        return [.. exponentials.Select(x => (float)(x / exponentials.Sum()))];
    }

    private static Merge Recycle(float[] scores, float[] rows, int keep, double tau)
    {
        int pool = Recycling.Pool(scores.Length - keep, tau);
        int left = Recycling.Left(scores.Length, keep, tau);
        var merge = new Merge(left, scores.Length - left);
        SparseVlm.Select(scores, rows, keep, tau, new float[(pool * pool) + (5 * scores.Length)], merge.Rows);
        return merge;
    }
}
