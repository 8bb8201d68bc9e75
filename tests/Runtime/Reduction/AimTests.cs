using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>AIM's merge against the golden vectors of tests/reference/reductions.py, at its edges, and without garbage.</summary>
public sealed class AimTests
{
    public static TheoryData<int, int, AimOrder> Cases => new() { { 144, 1, AimOrder.Similarity }, { 144, 3, AimOrder.Similarity }, { 137, 3, AimOrder.Similarity }, { 137, 3, AimOrder.Relative } };

    [Theory]
    [MemberData(nameof(Cases))]
    public void EqualsTheReference(int tokens, int halvings, AimOrder order)
    {
        string name = $"aim_{tokens}_{halvings}_{order}";
        int[] expected = Ints(ReductionGoldens.Aim.GetProperty(name + "_kept"));
        float[] features = Clustered(144, 64, 11)[..(tokens * 64)];
        (int[] kept, float[] weights) = Run(features, tokens, halvings, order);
        Assert.Equal(expected, kept);
        AssertClose(Floats(ReductionGoldens.Aim.GetProperty(name)), Mix(weights, features, tokens));
    }

    [Fact]
    public void TheOneThatIsLeftOverComesFirstOrWhereItWas()
    {
        // Of rows 0, 2 and 4, which look for a partner in 1 and 3, row 2 is like none.
        float[] features = [1, 0, 0, /**/ 1, 0.1f, 0, /**/ 0, 0, 1, /**/ 0, 1, 0, /**/ 0, 1, 0.1f];
        (int[] kept, float[] weights) = Run(features, 5, 1, AimOrder.Similarity);
        Assert.Equal([2, 1, 3], kept);
        Assert.Equal([0, 0, 1, 0, 0, /**/ 0.5f, 0.5f, 0, 0, 0, /**/ 0, 0, 0, 0.5f, 0.5f], weights);

        (kept, weights) = Run(features, 5, 1, AimOrder.Relative);
        Assert.Equal([1, 2, 3], kept);
        Assert.Equal([0.5f, 0.5f, 0, 0, 0, /**/ 0, 0, 1, 0, 0, /**/ 0, 0, 0, 0.5f, 0.5f], weights);
    }

    [Fact]
    public void OfEqualPartnersTheLowerIndexIsChosen()
    {
        (int[] kept, float[] weights) = Run([1, 0, 2, 0, 1, 0, 3, 0], 4, 1, AimOrder.Similarity);
        Assert.Equal([1, 3], kept);
        Assert.Equal([1f / 3, 1f / 3, 1f / 3, 0, /**/ 0, 0, 0, 1], weights);
    }

    [Fact]
    public void OneTokenIsLeftAlone()
    {
        (int[] kept, float[] weights) = Run([1, 2], 1, 3, AimOrder.Similarity);
        Assert.Equal([0], kept);
        Assert.Equal([1], weights);
    }

    [Fact]
    public void EveryTokenEndsInOneRowAndRowsAreMeans()
    {
        (_, float[] weights) = Run(Clustered(101, 16, 5), 101, 4, AimOrder.Similarity);
        for (int row = 0; row < 7; row++)
        {
            Assert.Equal(1, weights[(row * 101)..((row + 1) * 101)].Sum(), 1e-6);
        }

        Assert.All(Enumerable.Range(0, 101), token => Assert.Equal(1, Enumerable.Range(0, 7).Count(row => weights[(row * 101) + token] > 0)));
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => Espalier.Aim.Select(new float[11], 4, 1, AimOrder.Similarity, new float[40], new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => Espalier.Aim.Select(new float[12], 4, 0, AimOrder.Similarity, new float[40], new int[4], new float[16]));
        Assert.Throws<ArgumentException>(static () => Espalier.Aim.Select(new float[12], 4, 1, AimOrder.Similarity, new float[39], new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => Espalier.Aim.Select(new float[12], 4, 2, AimOrder.Similarity, new float[45], new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => Espalier.Aim.Select(new float[12], 4, 1, AimOrder.Similarity, new float[40], new int[1], new float[8]));
        Assert.Throws<ArgumentException>(static () => Espalier.Aim.Select(new float[12], 4, 1, AimOrder.Similarity, new float[40], new int[2], new float[7]));
        Assert.Throws<ArgumentException>(static () => Espalier.Aim.Select([], 0, 1, AimOrder.Similarity, new float[40], new int[2], new float[7]));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] features = Clustered(144, 64, 11);
        var scratch = new float[Scratch(144, 64)];
        var kept = new int[18];
        var weights = new float[18 * 144];
        Allocation.AssertNone(() => Espalier.Aim.Select(features, 144, 3, AimOrder.Similarity, scratch, kept, weights));
    }

    private static int Scratch(int tokens, int width) => (8 * (tokens + 1)) + ((tokens + 1) / 2 * width);

    private static (int[] Kept, float[] Weights) Run(float[] features, int tokens, int halvings, AimOrder order)
    {
        int left = Enumerable.Range(0, halvings).Aggregate(tokens, static (count, _) => (count + 1) / 2);
        var kept = new int[left];
        var weights = new float[left * tokens];
        Assert.Equal(left, Espalier.Aim.Select(features, tokens, halvings, order, new float[Scratch(tokens, features.Length / tokens)], kept, weights));
        return (kept, weights);
    }
}
