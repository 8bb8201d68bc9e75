using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>The kernel of <c>[MergeVisual&lt;TScorer&gt;]</c> against loops over single tokens, at its edges, and without garbage.</summary>
public sealed class SimilarTokensTests
{
    [Fact]
    public void EqualsLoopsOverSingleTokens()
    {
        float[] rows = Clustered(144, 32, 71);
        float[] scores = Floats(Lcg(144, 72));
        var merge = new Merge(30, 114);
        SimilarTokens.Select(scores, rows, new float[60], merge.Rows);

        int[] highest = [.. Enumerable.Range(0, 144).OrderByDescending(i => scores[i]).Take(30).Order()];
        Assert.Equal(highest, merge.Kept);
        Assert.Equal(Enumerable.Range(0, 144).Except(highest), merge.Absorbed);
        int[] targets = [.. merge.Absorbed.Select(token => Array.IndexOf(highest, highest.MaxBy(target => Cosine(rows, token, target))))];
        for (int row = 0; row < 30; row++)
        {
            int held = 1 + targets.Count(target => target == row);
            Assert.Equal(1f / held, merge.Own[row]);
            Assert.Equal(targets.Select(target => target == row ? 1f / held : 0f), merge.Shares[(row * 114)..((row + 1) * 114)]);
        }
    }

    [Fact]
    public void OfEqualTargetsTheLowerIndexCounts()
    {
        var merge = new Merge(2, 1);
        SimilarTokens.Select([1, 0, 1], [1, 0, 1, 0, 2, 0], new float[4], merge.Rows);
        Assert.Equal([0, 2], merge.Kept);
        Assert.Equal([0.5f, 1], merge.Own);
        Assert.Equal([0.5f, 0], merge.Shares);
    }

    [Fact]
    public void ARowOfZerosIsSimilarToNothing()
    {
        var merge = new Merge(2, 1);
        SimilarTokens.Select([1, 1, 0], [0, 0, 1, 0, 0.1f, 1], new float[4], merge.Rows);
        Assert.Equal([0, 0.5f], merge.Shares);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => SimilarTokens.Select(new float[4], new float[7], new float[4], new Merge(2, 2).Rows));
        Assert.Throws<ArgumentException>(static () => SimilarTokens.Select(new float[4], new float[8], new float[3], new Merge(2, 2).Rows));
        Assert.Throws<ArgumentException>(static () => SimilarTokens.Select(new float[4], new float[8], new float[4], new Merge(2, 1).Rows));
        Assert.Throws<ArgumentException>(static () => SimilarTokens.Select([], [], [], new Merge(0, 0).Rows));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] rows = Clustered(144, 32, 71);
        float[] scores = Floats(Lcg(144, 72));
        var scratch = new float[60];
        var merge = new Merge(30, 114);
        Allocation.AssertNone(() => SimilarTokens.Select(scores, rows, scratch, merge.Rows));
    }

    private static double Cosine(float[] rows, int one, int other)
    {
        double dot = 0, a = 0, b = 0;
        for (int i = 0; i < 32; i++)
        {
            dot += (double)rows[(one * 32) + i] * rows[(other * 32) + i];
            a += (double)rows[(one * 32) + i] * rows[(one * 32) + i];
            b += (double)rows[(other * 32) + i] * rows[(other * 32) + i];
        }

        return dot / Math.Sqrt(a * b);
    }
}
