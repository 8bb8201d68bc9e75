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
        var kept = new int[30];
        var weights = new float[30 * 144];
        SimilarTokens.Select(scores, rows, new float[30], kept, weights);

        int[] highest = [.. Enumerable.Range(0, 144).OrderByDescending(i => scores[i]).Take(30).Order()];
        Assert.Equal(highest, kept);
        int[] targets = [.. Enumerable.Range(0, 144).Select(token => Array.IndexOf(highest, token) is >= 0 and var own ? own : Array.IndexOf(highest, highest.MaxBy(target => Cosine(rows, token, target))))];
        for (int row = 0; row < 30; row++)
        {
            int held = targets.Count(target => target == row);
            for (int token = 0; token < 144; token++)
            {
                Assert.Equal(targets[token] == row ? 1f / held : 0f, weights[(row * 144) + token]);
            }
        }
    }

    [Fact]
    public void OfEqualTargetsTheLowerIndexCounts()
    {
        var kept = new int[2];
        var weights = new float[6];
        SimilarTokens.Select([1, 0, 1], [1, 0, 1, 0, 2, 0], new float[2], kept, weights);
        Assert.Equal([0, 2], kept);
        Assert.Equal([0.5f, 0.5f, 0, 0, 0, 1], weights);
    }

    [Fact]
    public void ARowOfZerosIsSimilarToNothing()
    {
        var kept = new int[2];
        var weights = new float[6];
        SimilarTokens.Select([1, 1, 0], [0, 0, 1, 0, 0.1f, 1], new float[2], kept, weights);
        Assert.Equal([1, 0, 0, 0, 0.5f, 0.5f], weights);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => SimilarTokens.Select(new float[4], new float[7], new float[2], new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => SimilarTokens.Select(new float[4], new float[8], new float[1], new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => SimilarTokens.Select(new float[4], new float[8], new float[2], new int[2], new float[7]));
        Assert.Throws<ArgumentException>(static () => SimilarTokens.Select(new float[4], new float[8], new float[5], new int[5], new float[20]));
        Assert.Throws<ArgumentException>(static () => SimilarTokens.Select([], [], [], [], []));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] rows = Clustered(144, 32, 71);
        float[] scores = Floats(Lcg(144, 72));
        var scratch = new float[30];
        var kept = new int[30];
        var weights = new float[30 * 144];
        SimilarTokens.Select(scores, rows, scratch, kept, weights);
        Array.Clear(weights);
        long before = GC.GetAllocatedBytesForCurrentThread();
        SimilarTokens.Select(scores, rows, scratch, kept, weights);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
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
