using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>Density peaks against the small golden, and where rows are equal.</summary>
public sealed class DensityPeaksTests
{
    [Fact]
    public void EqualsTheSmallGolden()
    {
        var golden = Small.GetProperty("dpc_3");
        float[] rows = Floats(Lcg(16 * 8, 1));
        (int[] members, int[] centres) = Cluster(rows, 8, [.. Enumerable.Range(0, 16)], 3);
        Assert.Equal(Ints(golden.GetProperty("centers")), centres);
        Assert.Equal(Ints(golden.GetProperty("assign")), members);
        float[] mean = [.. Enumerable.Range(0, 8).Select(x => (float)Enumerable.Range(0, 16).Where(row => members[row] == 0).Average(row => rows[(row * 8) + x]))];
        AssertClose(Floats(golden.GetProperty("out0")), mean, 1e-6f);
    }

    [Fact]
    public void OnlyRowsOfThePoolTakePart()
    {
        // Rows 2 and 5 are nearest to each other, so the first of them is the strongest peak.
        (int[] members, int[] centres) = Cluster([9, 0, 5, 0.5f, 100, 5.25f], 1, [1, 2, 3, 5], 2);
        Assert.Equal([1, 0, 1, 0], members);
        Assert.Equal([1, 0], centres);
    }

    [Fact]
    public void ACentreIsInItsOwnClusterThoughAnEqualRowIsACentreToo()
    {
        // Two pairs of equal rows and three clusters: the second row of a pair is a centre beside the first.
        (int[] members, int[] centres) = Cluster([1, 1, 7, 7], 1, [0, 1, 2, 3], 3);
        Assert.All(Enumerable.Range(0, 3), cluster => Assert.Equal(cluster, members[centres[cluster]]));
        Assert.Equal(3, centres.Distinct().Count());
    }

    private static (int[] Members, int[] Centres) Cluster(float[] rows, int width, int[] pool, int clusters)
    {
        var members = new int[pool.Length];
        var centres = new int[clusters];
        DensityPeaks.Cluster(rows, width, pool, new float[(pool.Length * pool.Length) + (2 * pool.Length)], members, centres);
        return (members, centres);
    }
}
