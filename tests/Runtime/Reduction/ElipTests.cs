using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>ELIP's kernel against the golden vectors, at its edges, and without garbage.</summary>
public sealed class ElipTests
{
    [Fact]
    public void EqualsThePythonReference()
    {
        var merge = new Merge(58, 86);
        Elip.Select(Floats(Tower.GetProperty("elip_scores")), merge.Rows);
        Assert.Equal(Ints(Tower.GetProperty("elip_kept")), merge.Kept);
        Assert.Equal(Enumerable.Range(0, 144), merge.Kept.Concat(merge.Absorbed).Order());
        AssertClose(Floats(Tower.GetProperty("elip")), merge.Apply(Clustered(145, 16, 51)[16..], 16));
    }

    [Fact]
    public void TheMergedTokenComesLastAndStandsWhereTheHighestOfTheOthersWas()
    {
        var merge = new Merge(3, 3);
        Elip.Select([0.1f, 0.5f, 0.2f, 0.1f, 0.6f, 0.1f], merge.Rows);
        Assert.Equal([1, 4, 2], merge.Kept);
        Assert.Equal([0, 3, 5], merge.Absorbed);
        Assert.Equal([1, 1, 0.4f], merge.Own, static (one, other) => Math.Abs(one - other) < 1e-6f);
        Assert.Equal([0, 0, 0, 0, 0, 0, 0.2f, 0.2f, 0.2f], merge.Shares, static (one, other) => Math.Abs(one - other) < 1e-6f);
    }

    [Fact]
    public void TiesGoToTheLowerIndexAndScoresOfZeroAreAveraged()
    {
        var merge = new Merge(2, 2);
        Elip.Select([0, 0, 0.5f, 0], merge.Rows);
        Assert.Equal([2, 0], merge.Kept);
        Assert.Equal([1, 1 / 3f], merge.Own);
        Assert.Equal([0, 0, 1 / 3f, 1 / 3f], merge.Shares);

        // One token alone: everything becomes it.
        var one = new Merge(1, 2);
        Elip.Select([0.25f, 0.5f, 0.25f], one.Rows);
        Assert.Equal([1], one.Kept);
        Assert.Equal([0.25f, 0.25f], one.Shares);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => Elip.Select(new float[4], new Merge(2, 3).Rows));
        Assert.Throws<ArgumentException>(static () => Elip.Select(new float[4], new Merge(4, 0).Rows));
        Assert.Throws<ArgumentException>(static () => Elip.Select(new float[4], new Merge(0, 4).Rows));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] scores = Floats(Tower.GetProperty("elip_scores"));
        var merge = new Merge(58, 86);
        Allocation.AssertNone(() => Elip.Select(scores, merge.Rows));
    }
}
