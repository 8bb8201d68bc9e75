using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>DivPrune's kernel against golden vectors, at its edges, and without garbage.</summary>
public sealed class DivPruneTests
{
    [Fact]
    public void PicksInTheOrderOfTheSmallGolden()
    {
        var picked = new int[6];
        DivPrune.Pick(Floats(Lcg(16 * 8, 1)), 16, new float[32], picked);
        Assert.Equal(Ints(Small.GetProperty("divprune_6")), picked);
    }

    [Fact]
    public void EqualsThePythonReference()
    {
        int[] expected = Ints(Large.GetProperty("divprune_24"));
        var picked = new int[24];
        DivPrune.Pick(Clustered(144, 64, 11), 144, new float[288], picked);
        Assert.Equal(expected, picked);
        var kept = new int[24];
        DivPrune.Select(Clustered(144, 64, 11), 144, new float[288], kept);
        Assert.Equal(expected.Order(), kept);
    }

    [Fact]
    public void EqualTokensAreNeverPickedTwice()
    {
        var features = new float[30];
        Array.Fill(features, 2f);
        var kept = new int[7];
        DivPrune.Select(features, 10, new float[20], kept);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], kept);
    }

    [Fact]
    public void TokensOfNothingAreFarFromAll()
    {
        // A token without length has no direction; its cosine with every other is 0.
        var kept = new int[2];
        DivPrune.Select([1, 0, 1, 0.01f, 0, 0, 1, 0.02f], 4, new float[8], kept);
        Assert.Equal([0, 2], kept);
    }

    [Fact]
    public void NaNIsPickedOnceAsEveryOther()
    {
        float[] features = Floats(Lcg(16 * 8, 1));
        features[3 * 8] = float.NaN;
        features[(9 * 8) + 5] = float.PositiveInfinity;
        foreach (int count in (int[])[1, 5, 16])
        {
            var kept = new int[count];
            kept.AsSpan().Fill(-1);
            DivPrune.Select(features, 16, new float[32], kept);
            Assert.Equal(kept.Distinct().Order(), kept);
            Assert.InRange(kept[0], 0, 15);
        }

        var one = new int[1];
        DivPrune.Select([float.NaN, 1], 1, new float[2], one);
        Assert.Equal([0], one);
    }

    [Fact]
    public void KeepingAllKeepsAll()
    {
        var kept = new int[16];
        DivPrune.Select(Floats(Lcg(16 * 8, 1)), 16, new float[32], kept);
        Assert.Equal(Enumerable.Range(0, 16), kept);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => DivPrune.Select(new float[7], 4, new float[8], new int[2]));
        Assert.Throws<ArgumentException>(static () => DivPrune.Select(new float[8], 4, new float[7], new int[2]));
        Assert.Throws<ArgumentException>(static () => DivPrune.Select(new float[8], 4, new float[8], new int[5]));
        Assert.Throws<ArgumentException>(static () => DivPrune.Select([], 0, [], []));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] features = Clustered(144, 64, 11);
        var scratch = new float[288];
        var kept = new int[24];
        Allocation.AssertNone(() => DivPrune.Select(features, 144, scratch, kept));
    }
}
