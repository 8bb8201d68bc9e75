using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>The cuts of Sparsity Meets Similarity against the Python reference, at their edges, and without garbage.</summary>
public sealed class SparsityMeetsSimilarityTests
{
    [Theory]
    [InlineData(InflectionCut.Chord)]
    [InlineData(InflectionCut.SecondDifference)]
    [InlineData(InflectionCut.MaxDerivative)]
    [InlineData(InflectionCut.LocalOutlier)]
    public void EqualsThePythonReference(InflectionCut cut)
    {
        var kept = new int[144];
        float[] features = [.. Floats(Lcg(64, 31)), .. Clustered(144, 64, 11)];
        int count = SparsityMeetsSimilarity.Select(features, 144, cut, window: 9, least: 8, new float[5 * 144], kept);
        Assert.Equal(Ints(Large.GetProperty("similar_cls_cosine_" + cut)), kept[..count]);
        count = SparsityMeetsSimilarity.Select(Floats(Large.GetProperty("attention")), cut, window: 9, least: 8, new float[4 * 144], kept);
        Assert.Equal(Ints(Large.GetProperty("similar_attention_" + cut)), kept[..count]);
    }

    [Theory]
    [InlineData(0.5, "relevant_0.5")]
    [InlineData(1.0, "relevant_1.0")]
    [InlineData(2.5, "relevant_2.5")]
    public void RelevantTokensEqualThePythonReference(double theta, string golden)
    {
        var kept = new int[144];
        int count = RelevantTokens.Select(Floats(Large.GetProperty("attention")), theta, kept);
        Assert.Equal(Ints(Large.GetProperty(golden)), kept[..count]);
    }

    [Theory]
    [InlineData(InflectionCut.Chord)]
    [InlineData(InflectionCut.MaxDerivative)]
    public void TheHeadOfACurveIsWhatLiesBeforeItsTail(InflectionCut cut)
    {
        // Sorted 10, 4, 2.9, 2.8, ... 2.4: the largest step is the first; the third score, 2.9, is farthest below the chord.
        float[] scores = [2.8f, 4, 2.9f, 10, 2.7f, 2.6f, 2.5f, 2.4f];
        var kept = new int[8];
        int count = SparsityMeetsSimilarity.Select(scores, cut, window: 9, least: 0, new float[32], kept);
        Assert.Equal(cut == InflectionCut.Chord ? [1, 2, 3] : [3], kept[..count]);
    }

    [Fact]
    public void ACurveWithoutSlopeHasNoTail()
    {
        var scores = new float[20];
        Array.Fill(scores, 0.3f);
        var kept = new int[20];
        foreach (InflectionCut cut in Enum.GetValues<InflectionCut>())
        {
            Assert.Equal(20, SparsityMeetsSimilarity.Select(scores, cut, 9, 1, new float[80], kept));
            Assert.Equal(7, SparsityMeetsSimilarity.Select(scores, cut, 9, 1, new float[80], kept.AsSpan(0, 7)));
        }

        Assert.Equal([0, 1, 2, 3, 4, 5, 6], kept[..7]);
    }

    [Fact]
    public void OneTokenAlwaysStays()
    {
        var kept = new int[1];
        foreach (InflectionCut cut in Enum.GetValues<InflectionCut>())
        {
            Assert.Equal(1, SparsityMeetsSimilarity.Select([float.NaN], cut, 9, 0, new float[4], kept));

            // Evenly spread scores have no outlier.
            float[] even = [.. Enumerable.Range(0, 30).Select(static i => (float)i)];
            var many = new int[30];
            Assert.InRange(SparsityMeetsSimilarity.Select(even, cut, 9, 0, new float[120], many), 1, 30);
        }

        Assert.Equal(1, RelevantTokens.Select([1f, 3f, 2f], 100, new int[3]));
        Assert.Equal(1, RelevantTokens.Select([float.NaN], 1, kept));
    }

    [Fact]
    public void EqualScoresAllReachTheirMean()
    {
        for (int tokens = 1; tokens <= 200; tokens++)
        {
            for (int i = 1; i <= 50; i++)
            {
                var scores = new float[tokens];
                Array.Fill(scores, i / 997f);
                Assert.Equal(tokens, RelevantTokens.Select(scores, 1, new int[tokens]));
            }
        }
    }

    [Fact]
    public void TheCountLiesBetweenTheBounds()
    {
        float[] scores = Floats(Lcg(100, 9));
        var kept = new int[100];
        foreach (InflectionCut cut in Enum.GetValues<InflectionCut>())
        {
            int head = SparsityMeetsSimilarity.Select(scores, cut, 9, 0, new float[400], kept);
            Assert.Equal(Math.Max(head, 60), SparsityMeetsSimilarity.Select(scores, cut, 9, 60, new float[400], kept));
            Assert.Equal(Math.Min(head, 3), SparsityMeetsSimilarity.Select(scores, cut, 9, 0, new float[400], kept.AsSpan(0, 3)));
        }
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => SparsityMeetsSimilarity.Select(new float[7], 4, InflectionCut.Chord, 9, 1, new float[20], new int[2]));
        Assert.Throws<ArgumentException>(static () => SparsityMeetsSimilarity.Select(new float[10], 4, InflectionCut.Chord, 9, 1, new float[19], new int[2]));
        Assert.Throws<ArgumentException>(static () => SparsityMeetsSimilarity.Select(new float[10], 4, InflectionCut.Chord, 9, 1, new float[20], new int[5]));
        Assert.Throws<ArgumentException>(static () => SparsityMeetsSimilarity.Select(new float[4], InflectionCut.Chord, 9, 1, new float[16], []));
        Assert.Throws<ArgumentException>(static () => RelevantTokens.Select(new float[4], 1, new int[3]));
        Assert.Throws<ArgumentException>(static () => RelevantTokens.Select([], 1, []));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] features = [.. Floats(Lcg(64, 31)), .. Clustered(144, 64, 11)];
        var scratch = new float[5 * 144];
        var kept = new int[144];
        Allocation.AssertNone(() => SparsityMeetsSimilarity.Select(features, 144, InflectionCut.LocalOutlier, 9, 1, scratch, kept));
        Allocation.AssertNone(() => SparsityMeetsSimilarity.Select(features, 144, InflectionCut.SecondDifference, 9, 1, scratch, kept));
        Allocation.AssertNone(() => RelevantTokens.Select(features.AsSpan(0, 144), 1, kept));
    }
}
