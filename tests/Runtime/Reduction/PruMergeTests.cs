using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>PruMerge's kernels against golden vectors, at their edges, and without garbage.</summary>
public sealed class PruMergeTests
{
    [Fact]
    public void OutliersEqualTheSmallGolden()
    {
        float[] attention = Floats(Small.GetProperty("cls_attn"));
        var scratch = new float[32];
        Assert.Equal(Small.GetProperty("iqr").GetProperty("threshold").GetSingle(), QuartileOutliers.Threshold(attention, scratch), 1e-6f);
        Assert.Equal(Small.GetProperty("iqr").GetProperty("ratio").GetDouble(), QuartileOutliers.Count(attention, scratch) / 16.0);
    }

    [Fact]
    public void MergesAsTheSmallGolden()
    {
        // The golden keeps three; the merge is asked for these.
        float[] attention = Floats(Small.GetProperty("cls_attn"));
        int[] kept = [.. Ints(Small.GetProperty("prumerge_keep3_knn4").GetProperty("order")), 0];
        var weights = new float[4 * 16];
        Assert.Equal(4, PruMerge.Merge(attention, Floats(Lcg(16 * 8, 2)), 4, new float[32], kept, 3, weights));
        Assert.Equal(PruMerge.Rest, kept[3]);
        AssertClose(Floats(Small.GetProperty("prumerge_keep3_knn4").GetProperty("out")), Mix(weights, Floats(Lcg(16 * 8, 1)), 16));
    }

    [Fact]
    public void EvenlySpacedPatchesEqualTheSmallGolden()
    {
        // 40 outliers of 576: every fourth patch. The golden names two of the outliers, 5 and 13, first.
        int[] kept = [5, 13, .. Enumerable.Range(0, 38).Select(static i => 1 + (4 * (i + 20))), .. new int[300]];
        int count = PruMergePlus.Spread(576, 40, kept);
        int[] golden = Ints(Small.GetProperty("prumerge_plus_idx_ratio_40_576_first12"));
        int[] first = [5, 13, .. kept[40..50]];
        Assert.Equal(golden, first);
        Assert.Equal(40 + 144, count);
    }

    [Theory]
    [InlineData(false, "prumerge")]
    [InlineData(true, "prumerge_plus")]
    public void EqualsThePythonReference(bool plus, string golden)
    {
        var kept = new int[144];
        var weights = new float[144 * 144];
        float[] attention = Floats(Large.GetProperty("attention"));
        float[] keys = Clustered(144, 32, 21);
        int count = plus
            ? PruMergePlus.Select(attention, keys, 16, new float[288], kept, weights)
            : PruMerge.Select(attention, keys, 16, new float[288], kept, weights);
        Assert.Equal(Ints(Large.GetProperty(golden + "_kept")), kept[..count]);
        AssertClose(Floats(Large.GetProperty(golden)), Mix(weights[..(count * 144)], Clustered(144, 64, 11), 144));
    }

    [Fact]
    public void AnImageWithoutOutliersKeepsItsHighestScoreAndTheRest()
    {
        var scores = new float[12];
        Array.Fill(scores, 0.5f);
        var kept = new int[12];
        var weights = new float[12 * 13];
        Assert.Equal(2, PruMerge.Select(scores, Floats(Lcg(48, 3)), 3, new float[24], kept, weights));
        Assert.Equal([0, PruMerge.Rest], kept[..2]);

        // Behind the column of the CLS token.
        Assert.Equal(0, weights[0]);
        Assert.Equal(1, weights[1]);
        Assert.Equal([0, 0, .. Enumerable.Repeat(0.5f, 11)], weights[13..26]);
    }

    [Fact]
    public void CountsNeverExceedTheRoom()
    {
        // One score in three is an outlier of its own kind, so that the evenly spaced patches would be all.
        float[] scores = [.. Enumerable.Range(0, 40).Select(static i => i % 5 == 0 ? 10f + i : 1 + (i / 1000f))];
        for (int room = 1; room <= 40; room++)
        {
            var kept = new int[room];
            var weights = new float[room * 40];
            int count = PruMergePlus.Select(scores, Floats(Lcg(160, 4)), 40, new float[80], kept, weights);
            Assert.InRange(count, 1, room);
            Assert.Equal(room == 1 ? 0 : 1, kept[..count].Count(static token => token == PruMerge.Rest));
            Assert.Equal(kept[..count].Distinct(), kept[..count]);
        }
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => PruMerge.Select(new float[4], new float[7], 1, new float[8], new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => PruMerge.Select(new float[4], new float[8], 1, new float[7], new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => PruMerge.Select(new float[4], new float[8], 0, new float[8], new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => PruMerge.Select(new float[4], new float[8], 1, new float[8], new int[2], new float[12]));
        Assert.Throws<ArgumentException>(static () => PruMerge.Select(new float[4], new float[8], 1, new float[8], new int[5], new float[20]));
        Assert.Throws<ArgumentException>(static () => PruMergePlus.Select([], [], 1, [], [], []));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] attention = Floats(Large.GetProperty("attention"));
        float[] keys = Clustered(144, 32, 21);
        var scratch = new float[288];
        var kept = new int[144];
        var weights = new float[144 * 144];
        Allocation.AssertNone(() => PruMergePlus.Select(attention, keys, 16, scratch, kept, weights));
    }
}
