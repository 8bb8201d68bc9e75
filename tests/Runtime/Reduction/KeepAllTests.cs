using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>A kernel that lets nothing leave changes nothing: every token stays, in its order, and takes all of itself and nothing of the others.</summary>
public sealed class KeepAllTests
{
    private const int Tokens = 16;

    private static readonly float[] Features = Clustered(Tokens, 8, 3);
    private static readonly float[] Scores = Floats(Lcg(Tokens, 4));

    [Fact]
    public void APruneThatKeepsAllKeepsEveryTokenInItsOrder()
    {
        AssertAll(static kept => TokenSelection.TopK(Scores, kept));
        AssertAll(static kept => TokenSelection.Random(Tokens, 5, kept));
        AssertAll(static kept => DivPrune.Select(Features, Tokens, new float[2 * Tokens], kept));
        AssertAll(static kept => CDPruner.Select(Features, Tokens, Scores, new float[Tokens * (Tokens + 3)], kept));
        AssertAll(static kept => GPrune.Select(Features, Tokens, 0.5, 0.03, 5, new float[Tokens * (Tokens + 3)], kept));
        AssertAll(static kept => FoPru.Select(Scores, 4, new float[4], kept));
        AssertAll(static kept => Assert.Equal(Tokens, SparsityMeetsSimilarity.Select(Scores, InflectionCut.Chord, 9, Tokens, new float[4 * Tokens], kept)));
        AssertAll(static kept => Assert.Equal(Tokens, SparseVlm.Select(Scores, Tokens, 0.8, 0, kept)));
        AssertAll(static kept => Assert.Equal(Tokens, SparseVlm.Select(Scores, Tokens, 1, kept)));
        AssertAll(static kept => Assert.Equal(Tokens, RelevantTokens.Select([.. Scores.Select(static score => score + 1)], 0.01, kept)));
    }

    [Fact]
    public void AMergeIntoAllIsTheIdentity()
    {
        float[] map = [.. Lcg((Tokens + 1) * (Tokens + 1), 7).Select(static x => (float)Math.Abs(x))];
        int[] tokens = [.. Enumerable.Range(0, Tokens)];
        foreach (FiCoCoMode mode in Enum.GetValues<FiCoCoMode>())
        {
            foreach (FiCoCoRedundancy redundancy in Enum.GetValues<FiCoCoRedundancy>())
            {
                AssertIdentity(merge => FiCoCoV.Select(map, tokens, 4, mode, redundancy, 0.35, 0.998, 2, 2, new float[3 * Tokens], merge.Rows));
                AssertIdentity(merge => FiCoCoV.Select(map.AsSpan(0, Tokens * Tokens), Features, tokens, 4, mode, redundancy, 0.35, 0.998, 2, 2, new float[(3 * Tokens) + 8], merge.Rows));
                AssertIdentity(merge => FiCoCoL.Select(new AttentionMap(map.AsSpan(0, (Tokens + 1) * (Tokens + 1)), 0, Tokens, 1), mode, redundancy, 0.6, 0.6, 0.998, new float[2 * Tokens], merge.Rows));
            }
        }

        AssertIdentity(static merge => SimilarTokens.Select(Scores, Features, new float[2 * Tokens], merge.Rows));
        AssertIdentity(static merge => SparseVlm.Select(Scores, Features, Tokens, 0.3, new float[5 * Tokens], merge.Rows));
        foreach (int cls in (int[])[0, 1])
        {
            float[] sizes = [.. Enumerable.Range(1, Tokens + cls).Select(static size => (float)size)];
            float[] before = [.. sizes];
            AssertIdentity(merge => ToMe.Select(Floats(Lcg((Tokens + cls) * 4, 9)), sizes, new float[3 * (Tokens + cls + 1)], merge.Rows));
            Assert.Equal(before, sizes);
        }
    }

    [Fact]
    public void VisionZipThatKeepsAllHandsOnTheRowsOfTheTower()
    {
        foreach (int cls in (int[])[0, 1])
        {
            int rows = Tokens + cls;
            var kept = new int[rows];
            var weights = new float[rows * rows];
            VisionZip.Select(Scores, Features, 0, kept, weights);
            Assert.Equal(Enumerable.Range(-cls, rows), kept);
            Assert.Equal(Enumerable.Range(0, rows * rows).Select(i => i % (rows + 1) == 0 ? 1f : 0f), weights);
        }
    }

    private static void AssertAll(Action<int[]> select)
    {
        var kept = new int[Tokens];
        kept.AsSpan().Fill(-1);
        select(kept);
        Assert.Equal(Enumerable.Range(0, Tokens), kept);
    }

    private static void AssertIdentity(Action<Merge> select)
    {
        var merge = new Merge(Tokens, 0);
        select(merge);
        Assert.Equal(Enumerable.Range(0, Tokens), merge.Kept);
        Assert.All(merge.Own, static own => Assert.Equal(1f, own));
        Assert.Equal(Features, merge.Apply(Features, 8));
    }
}
