using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>FoPru's row strategy against the Python reference, at its edges, and without garbage.</summary>
public sealed class FoPruTests
{
    [Fact]
    public void EqualsThePythonReference()
    {
        var kept = new int[60];
        FoPru.Select(Floats(Large.GetProperty("attention")), 12, new float[12], kept);
        Assert.Equal(Ints(Large.GetProperty("fopru_rows_5")), kept);
    }

    [Fact]
    public void RowsAreKeptWholeAndTiesGoToTheUpperOne()
    {
        var kept = new int[6];
        FoPru.Select([1, 0, 0, 0, 5, 0, 0, 0, 1], 3, new float[3], kept);
        Assert.Equal([0, 1, 2, 3, 4, 5], kept);
        var all = new int[9];
        FoPru.Select([1, 0, 0, 0, 5, 0, 0, 0, 1], 3, new float[3], all);
        Assert.Equal(Enumerable.Range(0, 9), all);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => FoPru.Select(new float[9], 3, new float[3], new int[4]));
        Assert.Throws<ArgumentException>(static () => FoPru.Select(new float[8], 3, new float[3], new int[3]));
        Assert.Throws<ArgumentException>(static () => FoPru.Select(new float[9], 3, new float[2], new int[3]));
        Assert.Throws<ArgumentException>(static () => FoPru.Select(new float[9], 3, new float[3], new int[12]));
        Assert.Throws<ArgumentException>(static () => FoPru.Select(new float[9], 0, new float[3], new int[3]));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] attention = Floats(Large.GetProperty("attention"));
        var scratch = new float[12];
        var kept = new int[60];
        Allocation.AssertNone(() => FoPru.Select(attention, 12, scratch, kept));
    }
}
