using System.Text.Json;
using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>DART's selection against the golden vectors of tests/reference/reductions.py, at its edges, and without garbage.</summary>
public sealed class DartTests
{
    private static readonly JsonElement Golden = Read("../../reference/goldens/reductions/dart.json");

    [Theory]
    [InlineData("few", 0.25, 4, 4, 20)]
    [InlineData("many", 0.6, 3, 9, 20)]
    [InlineData("short", 0.5, 2, 6, 3)]
    [InlineData("image", 0.3, 5, 0, 20)]
    public void EqualsTheReference(string name, double share, int image, int text, int textRows)
    {
        float[] norms = [.. Lcg(164, 73).Select(static value => (float)Math.Abs(value))];
        float[] rows = Clustered(164, 64, 71);

        // Rows between the visual ones and those of the text, as registers are, are no pivots.
        rows = [.. rows[..(144 * 64)], .. new float[2 * 64], .. rows[^(textRows * 64)..]];
        int[] expected = Ints(Golden.GetProperty(name));
        var kept = new int[144];
        int count = Dart.Select(norms.AsSpan(0, 144), norms.AsSpan(164 - textRows), rows, 64, image, text, share, new float[288 + image + text], kept);
        Assert.Equal(expected, kept[..count]);
    }

    [Fact]
    public void OfEqualNormsAndCosinesTheLowerIndexIsTaken()
    {
        // Pivots 0 and, of the text, row 4; each adds one of the two that are at right angles to it.
        var kept = new int[3];
        Assert.Equal(3, Dart.Select([1, 1, 1, 1], [5], [1, 0, 1, 0, 0, 1, 0, 1, 0, 1], 2, 1, 1, 0.5, new float[10], kept));
        Assert.Equal([0, 1, 2], kept);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void RowsThatAreNoNumbersLeaveFirst(float wrong)
    {
        // The pivots are tokens 1 and, of the text, row 4; tokens 0 and 3 have no cosine with either.
        var kept = new int[3];
        Assert.Equal(3, Dart.Select([wrong == float.PositiveInfinity ? 1 : wrong, 2, 1, wrong == float.PositiveInfinity ? 1 : wrong], [wrong], [wrong, 0, 1, 0, 0, 1, 0, wrong, 1, 1], 2, 1, 1, 0.5, new float[10], kept));
        Assert.Equal([0, 1, 2], kept);
        Assert.Equal(3, Dart.Select([wrong, wrong, wrong, wrong], [wrong], [.. Enumerable.Repeat(wrong, 10)], 2, 1, 1, 0.5, new float[10], kept));
        Assert.Equal([0, 1, 2], kept);
    }

    [Fact]
    public void NeverMoreThanThereAre()
    {
        var kept = new int[4];
        Assert.Equal(2, Dart.Select([1, 2], [], [1, 0, 0, 1], 2, 4, 0, 0.9, new float[8], kept));
        Assert.Equal([0, 1], kept[..2]);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => Dart.Select([], [], [], 2, 1, 1, 0.5, new float[8], new int[4]));
        Assert.Throws<ArgumentException>(static () => Dart.Select([1, 2], [1], new float[4], 2, 1, 1, 0.5, new float[8], new int[4]));
        Assert.Throws<ArgumentException>(static () => Dart.Select([1, 2], [1], new float[7], 2, 1, 1, 0.5, new float[8], new int[4]));
        Assert.Throws<ArgumentException>(static () => Dart.Select([1, 2], [1], new float[6], 2, 1, 1, 0.5, new float[5], new int[4]));
        Assert.Throws<ArgumentException>(static () => Dart.Select([1, 2, 3, 4], [1], new float[10], 2, 1, 1, 0.5, new float[10], new int[2]));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] norms = Floats(Lcg(164, 73), offset: 1);
        float[] rows = Clustered(164, 64, 71);
        var scratch = new float[296];
        var kept = new int[144];
        Allocation.AssertNone(() => Dart.Select(norms.AsSpan(0, 144), norms.AsSpan(144), rows, 64, 4, 4, 0.5, scratch, kept));
    }
}
