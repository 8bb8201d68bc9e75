using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>CDPruner's kernel against golden vectors, at its edges, and without garbage.</summary>
public sealed class CDPrunerTests
{
    [Fact]
    public void PicksInTheOrderOfTheSmallGolden()
    {
        float[] relevance = Floats(Lcg(16, 4));
        CDPruner.Normalise(relevance);
        AssertClose(Floats(Small.GetProperty("cdpruner_6").GetProperty("relevance_norm")), relevance);
        var picked = new int[6];
        CDPruner.Pick(Floats(Lcg(16 * 8, 1)), relevance, new float[16 * 8], picked);
        Assert.Equal(Ints(Small.GetProperty("cdpruner_6").GetProperty("order")), picked);
    }

    [Fact]
    public void EqualsThePythonReference()
    {
        var kept = new int[24];
        CDPruner.Select(Clustered(144, 64, 11), 144, Relevance(Clustered(144, 64, 11), Floats(Lcg(64, 51))), new float[144 * 27], kept);
        Assert.Equal(Ints(Large.GetProperty("cdpruner_24")).Order(), kept);
    }

    [Fact]
    public void EqualTokensAreNeverPickedTwice()
    {
        var features = new float[30];
        Array.Fill(features, 2f);
        var kept = new int[7];
        CDPruner.Select(features, 10, Relevance(features, [1, 0, 0]), new float[100], kept);
        Assert.Equal(7, kept.Distinct().Count());
        Assert.Equal(kept.Order(), kept);
    }

    [Fact]
    public void ATokenOfNaNTakesNothingFromTheOthers()
    {
        // Token 3 has no direction, like one of length 0: the others are picked as if it were one.
        float[] features = Floats(Lcg(16 * 8, 1));
        float[] relevance = Floats(Lcg(16, 4));
        var expected = new int[6];
        features.AsSpan(3 * 8, 8).Clear();
        CDPruner.Select(features, 16, relevance, new float[16 * 9], expected);
        features[3 * 8] = float.NaN;
        var kept = new int[6];
        CDPruner.Select(features, 16, relevance, new float[16 * 9], kept);
        Assert.Equal(expected, kept);
    }

    [Fact]
    public void KeepingAllKeepsAll()
    {
        // More tokens than dimensions: behind the eighth pick rounding alone decides.
        var kept = new int[16];
        CDPruner.Select(Floats(Lcg(16 * 8, 1)), 16, Relevance(Floats(Lcg(16 * 8, 1)), Floats(Lcg(8, 2))), new float[16 * 19], kept);
        Assert.Equal(Enumerable.Range(0, 16), kept);
    }

    [Fact]
    public void ATextWithoutLengthLeavesDiversityAlone()
    {
        var kept = new int[2];
        CDPruner.Select([1, 0, 1, 0.1f, 0, 1], 3, Relevance([1, 0, 1, 0.1f, 0, 1], [0, 0]), new float[15], kept);
        Assert.Equal([0, 2], kept);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => CDPruner.Select(new float[7], 4, new float[4], new float[20], new int[2]));
        Assert.Throws<ArgumentException>(static () => CDPruner.Select(new float[8], 4, new float[4], new float[19], new int[2]));
        Assert.Throws<ArgumentException>(static () => CDPruner.Select(new float[8], 4, new float[3], new float[20], new int[2]));
        Assert.Throws<ArgumentException>(static () => CDPruner.Select(new float[8], 4, new float[4], new float[40], new int[5]));
        Assert.Throws<ArgumentException>(static () => CDPruner.Select([], 0, [], [], []));
        Assert.Throws<ArgumentException>(static () => TextCosines.Of(new float[2], new float[7], new float[4]));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] features = Clustered(144, 64, 11);
        float[] relevance = Relevance(features, Floats(Lcg(64, 51)));
        var scratch = new float[144 * 27];
        var kept = new int[24];
        Allocation.AssertNone(() => CDPruner.Select(features, 144, relevance, scratch, kept));
    }

    private static float[] Relevance(float[] rows, float[] text)
    {
        var cosines = new float[rows.Length / text.Length];
        TextCosines.Of(text, rows, cosines);
        return cosines;
    }
}
