using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>FiCoCo-L's kernel against golden vectors, at its edges, and without garbage. The stages that it shares with FiCoCo-V have tests of their own.</summary>
public sealed class FiCoCoLTests
{
    [Fact]
    public void FilterAndCorrelationsEqualTheSmallGolden()
    {
        var golden = Small.GetProperty("ficoco_l_N10_M6_NS3_eps0.8");
        float[] softmax = Softmax(16, 6, seed: 7);
        var map = new AttentionMap(softmax, prefixRows: 0, visualRows: 10, textRows: 6);
        var alike = new float[10];
        var task = new float[10];
        FiCoCoL.Terms(map, FiCoCoRedundancy.SoftmaxRows, alike, task);
        RedundancyFilter.Combine(alike, task, 0.6);
        AssertClose(Floats(golden.GetProperty("s")), alike, 1e-7f);

        var merge = new Merge(7, 3);
        RedundancyFilter.Split(alike, merge.Rows);
        int[] order = Ints(golden.GetProperty("S"));
        Assert.Equal(order.Order(), merge.Absorbed);
        var correlations = new float[7];
        for (int a = 0; a < 3; a++)
        {
            FiCoCoL.Correlate(map, merge.Absorbed[a], 0.6, merge.Kept, new float[10], correlations);
            Correlation.Spread(correlations, Correlation.Count(7, 0.8, strictly: false), merge.Rows, a);
            int[] targets = [.. Enumerable.Range(0, 7).Where(kept => merge.Shares[(kept * 3) + a] > 0).Select(kept => merge.Kept[kept])];
            Assert.Equal(Ints(golden.GetProperty("J")[Array.IndexOf(order, merge.Absorbed[a])]), targets);
        }

        Correlation.Compress(merge.Rows);
        AssertClose(Floats(golden.GetProperty("out0")), merge.Apply(Floats(Lcg(16 * 8, 1))[..(10 * 8)], 8)[..8]);

        // The golden is the formula as printed, so the option of that name gives it in one call.
        var printed = new Merge(7, 3);
        FiCoCoL.Select(map, FiCoCoMode.Paper, FiCoCoRedundancy.SoftmaxRows, 0.6, 0.6, 0.8, new float[20], printed.Rows);
        Assert.Equal(order.Order(), printed.Absorbed);
        Assert.Equal(merge.Shares, printed.Shares);
        Assert.Equal(merge.Own, printed.Own);
    }

    [Theory]
    [InlineData(FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, "ficocol_paper")]
    [InlineData(FiCoCoMode.Code, FiCoCoRedundancy.RawLogits, "ficocol_code")]
    [InlineData(FiCoCoMode.Paper, FiCoCoRedundancy.SoftmaxColumns, "ficocol_columns")]
    [InlineData(FiCoCoMode.Code, FiCoCoRedundancy.SoftmaxColumns, "ficocol_columns_code")]
    [InlineData(FiCoCoMode.Paper, FiCoCoRedundancy.SoftmaxRows, "ficocol_rows")]
    public void EqualsThePythonReference(FiCoCoMode mode, FiCoCoRedundancy redundancy, string name)
    {
        var merge = new Merge(106, 14);
        float[] map = Products();
        if (redundancy != FiCoCoRedundancy.RawLogits)
        {
            map = [.. map.Chunk(148).SelectMany(static row =>
            {
                double sum = row.Sum(static x => Math.Exp(x));
                return Array.ConvertAll(row, x => (float)(Math.Exp(x) / sum));
            })];
        }

        FiCoCoL.Select(new AttentionMap(map, prefixRows: 11, visualRows: 120, textRows: 17), mode, redundancy, 0.6, 0.6, 0.98, new float[240], merge.Rows);
        Assert.Equal(Ints(Decoder.GetProperty(name + "_kept")), merge.Kept);
        AssertClose(Floats(Decoder.GetProperty(name)), merge.Apply([.. Clustered(144, 64, 11).Chunk(64).Take(120).SelectMany(static row => row[..8])], 8));
    }

    [Fact]
    public void RowsBeforeTheImageCountInTheFilterAndBridgeNothing()
    {
        // Two visual rows, one before them, one behind: the row before is in the text's term alone.
        float[] products =
        [
            5, 1, 2, 3,
            7, 4, 6, 9,
            0, 8, 10, 11,
        ];
        var map = new AttentionMap(products, prefixRows: 1, visualRows: 2, textRows: 1);
        var alike = new float[2];
        var task = new float[2];
        FiCoCoL.Terms(map, FiCoCoRedundancy.RawLogits, alike, task);
        Assert.Equal([1.5f, 5f], alike);
        Assert.Equal([4f, 8f], task);
        FiCoCoL.Terms(map, FiCoCoRedundancy.SoftmaxColumns, alike, task);
        Assert.Equal([2.5f, 4f], alike);
        Assert.Equal([4f, 8f], task);
        var correlations = new float[1];
        FiCoCoL.Correlate(map, 0, 0.5, [1], new float[2], correlations);
        AssertClose([(0.5f * 2) + (0.5f * 3 * 10)], correlations);
    }

    [Fact]
    public void AnEpsilonOfOneGivesOneTarget()
    {
        foreach (FiCoCoMode mode in Enum.GetValues<FiCoCoMode>())
        {
            foreach (FiCoCoRedundancy redundancy in Enum.GetValues<FiCoCoRedundancy>())
            {
                // The highest correlation of a row reaches it, and is the one that does.
                var merge = new Merge(106, 14);
                FiCoCoL.Select(Map(), mode, redundancy, 0.6, 0.6, 1, new float[240], merge.Rows);
                Assert.Equal(14, merge.Shares.Count(static share => share > 0));
            }
        }
    }

    [Fact]
    public void TargetsStayAndWhatTheyTakeIsDivided()
    {
        foreach (FiCoCoMode mode in Enum.GetValues<FiCoCoMode>())
        {
            var merge = new Merge(106, 14);
            FiCoCoL.Select(Map(), mode, FiCoCoRedundancy.RawLogits, 0.6, 0.6, 0.97, new float[240], merge.Rows);
            Assert.Empty(merge.Kept.Intersect(merge.Absorbed));
            for (int absorbed = 0; absorbed < 14; absorbed++)
            {
                Assert.Equal(1, Enumerable.Range(0, 106).Sum(k => merge.Shares[(k * 14) + absorbed] / merge.Own[k]), 1e-4);
            }

            for (int k = 0; k < 106; k++)
            {
                Assert.Equal(1, merge.Own[k] + Enumerable.Range(0, 14).Sum(absorbed => merge.Shares[(k * 14) + absorbed]), 1e-5);
            }
        }
    }

    [Fact]
    public void ThereIsNoPenaltyForNeighbours()
    {
        // In a grid of 4 by 4 the patches 0 and 1 share a window and 2 is the highest of the next one: FiCoCo-V's penalty would double 0 and 2, and let 2 leave before 1.
        float[] likeness = [4, 3, 2, .. new float[13]];
        float[] products = [.. likeness.SelectMany(static x => Enumerable.Repeat(x, 16).Append(0f)), .. new float[17]];
        var merge = new Merge(14, 2);
        FiCoCoL.Select(new AttentionMap(products, 0, 16, 1), FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.6, 0.6, 0.9, new float[32], merge.Rows);
        Assert.Equal([0, 1], merge.Absorbed);
        LocalPenalty.Apply(likeness, [.. Enumerable.Range(0, 16)], grid: 4, window: 2, coefficient: 2);
        Assert.True(likeness[2] > likeness[1]);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => new AttentionMap(new float[11], 0, 2, 1));
        Assert.Throws<ArgumentException>(static () => new AttentionMap(new float[9], -1, 3, 1));
        Assert.Throws<ArgumentException>(static () => FiCoCoL.Select(new AttentionMap(new float[9], 0, 2, 1), FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.6, 0.6, 0.9, new float[4], new Merge(2, 1).Rows));
        Assert.Throws<ArgumentException>(static () => FiCoCoL.Select(new AttentionMap(new float[9], 0, 2, 1), FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.6, 0.6, 0.9, new float[3], new Merge(1, 1).Rows));
        Assert.Throws<ArgumentException>(static () => FiCoCoL.Select(new AttentionMap(new float[4], 0, 2, 0), FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.6, 0.6, 0.9, new float[4], new Merge(1, 1).Rows));
    }

    [Fact]
    public void AllocatesNothing()
    {
        var merge = new Merge(106, 14);
        float[] products = Products();
        var scratch = new float[240];
        Allocation.AssertNone(() => FiCoCoL.Select(new AttentionMap(products, 11, 120, 17), FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.6, 0.6, 0.98, scratch, merge.Rows));
    }

    private static AttentionMap Map() => new(Array.ConvertAll(Products(), Math.Abs), prefixRows: 11, visualRows: 120, textRows: 17);

    private static float[] Products() => [.. Lcg(137 * 148, 51).Select(static x => 3 * (float)x)];

    private static float[] Softmax(int side, double scale, long seed)
    {
        double[] map = [.. Lcg(side * side, seed).Select(x => Math.Exp(scale * x))];
        return [.. map.Select((x, i) => (float)(x / map[(i / side * side)..((i / side * side) + side)].Sum()))];
    }
}
