using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>Ranks as PyTorch counts them for matrices of fp32.</summary>
public sealed class MatrixRankTests
{
    [Fact]
    public void EqualsThePythonReference()
    {
        float[] few = Floats(Lcg(6 * 120, 81));
        float[] sums = [.. Enumerable.Range(0, 3 * 120).Select(i => few[i] + few[i + (3 * 120)])];
        var attention = new float[9 * 120];
        SparseVlmPlusTests.View(SparseVlmPlusTests.Attention()).MeanOverHeads(attention);
        double[] left = Lcg(100, 82);
        double[] right = Lcg(10 * 120, 83);
        float[] falling = [.. Enumerable.Range(0, 10 * 120).Select(i => (float)Enumerable.Range(0, 10).Sum(k => left[(i / 120 * 10) + k] * Math.Pow(10, -k) * right[(k * 120) + (i % 120)]))];
        float[] equal = [.. Enumerable.Repeat(few[..120], 4).SelectMany(static row => row)];
        Assert.Equal(Ints(Decoder.GetProperty("ranks")), (int[])[Rank([.. few, .. sums], 9), Rank(attention, 9), Rank(falling, 10), Rank(equal, 4), Rank(Floats(Lcg(21, 84)), 7)]);
    }

    [Fact]
    public void NothingButZerosHasNoRank() => Assert.Equal(0, Rank(new float[12], 3));

    [Fact]
    public void AllocatesNothing()
    {
        float[] matrix = Floats(Lcg(6 * 120, 81));
        var products = new double[36];
        Allocation.AssertNone(() => MatrixRank.Of(matrix, 6, products));
    }

    private static int Rank(float[] matrix, int rows) => MatrixRank.Of(matrix, rows, new double[rows * rows]);
}
