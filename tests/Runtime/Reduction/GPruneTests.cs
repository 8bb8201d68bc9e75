using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>G-Prune's kernel against golden vectors, at its edges, and without garbage.</summary>
public sealed class GPruneTests
{
    [Fact]
    public void ScoresEqualTheSmallGolden()
    {
        var scores = new float[16];
        GPrune.Score(Floats(Lcg(16 * 8, 1), offset: 0.2), 0.5f, 0.03f, 5, new float[16 * 18], scores);
        AssertClose(Floats(Small.GetProperty("gprune_x+0.2").GetProperty("score")), scores);
    }

    [Fact]
    public void EqualsThePythonReference()
    {
        float[] features = Clustered(144, 64, 11);
        var scores = new float[144];
        GPrune.Score(features, 0.5f, 0.03f, 5, new float[144 * 146], scores);
        AssertClose(Floats(Large.GetProperty("gprune_scores")), scores);
        var kept = new int[72];
        GPrune.Select(features, 144, 0.5, 0.03, 5, new float[144 * 147], kept);
        Assert.Equal(Ints(Large.GetProperty("gprune_72")), kept);
    }

    [Fact]
    public void TokensThatAreJoinedToNoneKeepTheirOwnNorm()
    {
        var scores = new float[3];
        GPrune.Score([2, 0, 0, 0, 3, 0, 0, 0, 4], 0.5f, 0.03f, 5, new float[15], scores);
        Assert.Equal([2f, 3f, 4f], scores);
    }

    [Fact]
    public void TheCoolestSoftmaxDoesNotOverflow()
    {
        var scores = new float[16];
        GPrune.Score(Floats(Lcg(16 * 8, 1), offset: 0.2), 0.01f, 0.01f, 5, new float[16 * 18], scores);
        Assert.All(scores, static score => Assert.True(float.IsFinite(score) && score >= 0));
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => GPrune.Select(new float[7], 4, 0.5, 0.03, 5, new float[28], new int[2]));
        Assert.Throws<ArgumentException>(static () => GPrune.Select(new float[8], 4, 0.5, 0.03, 5, new float[27], new int[2]));
        Assert.Throws<ArgumentException>(static () => GPrune.Select(new float[8], 4, 0.5, 0.03, 5, new float[28], new int[5]));
        Assert.Throws<ArgumentException>(static () => GPrune.Select([], 0, 0.5, 0.03, 5, [], []));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] features = Clustered(144, 64, 11);
        var scratch = new float[144 * 147];
        var kept = new int[24];
        Allocation.AssertNone(() => GPrune.Select(features, 144, 0.5, 0.03, 5, scratch, kept));
    }
}
