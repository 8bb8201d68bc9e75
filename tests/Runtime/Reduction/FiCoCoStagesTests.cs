using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>The stages that FiCoCo-V and FiCoCo-L share, and the local penalty, against golden vectors and at their edges.</summary>
public sealed class FiCoCoStagesTests
{
    [Theory]
    [InlineData("ficoco_v_rawA_eps0.8_NS4", false)]
    [InlineData("ficoco_v_softmaxA_eps0.8_NS4", true)]
    public void FilterPenaltyAndTargetsEqualTheGoldensOfTheTower(string name, bool softmax)
    {
        var golden = Small.GetProperty(name);
        double[] map = Map(softmax ? 6 : 1, softmax);
        float[] redundancy = [.. Enumerable.Range(0, 16).Select(i => (float)map[(i * 16)..((i + 1) * 16)].Average())];
        RedundancyFilter.Combine(redundancy, Floats(Small.GetProperty("cls_attn")), 0.35);
        AssertClose(Floats(golden.GetProperty("s_raw")), redundancy, 1e-7f);
        LocalPenalty.Apply(redundancy, [.. Enumerable.Range(0, 16)], grid: 4, window: 2, coefficient: 2);
        AssertClose(Floats(golden.GetProperty("s_pen")), redundancy, 1e-7f);

        var merge = new Merge(12, 4);
        RedundancyFilter.Split(redundancy, merge.Rows);
        int[] order = Ints(golden.GetProperty("S"));
        Assert.Equal(order.Order(), merge.Absorbed);
        Assert.Equal(Ints(golden.GetProperty("T")), merge.Kept);
        for (int a = 0; a < 4; a++)
        {
            // Raw logits are compared as they are and weighed by their exponentials; the order is the same.
            float[] row = [.. merge.Kept.Select(kept => map[(merge.Absorbed[a] * 16) + kept]).Select(c => (float)(softmax ? c : Math.Exp(c)))];
            Correlation.Spread(row, Correlation.Count(12, 0.8, strictly: false), merge.Rows, a);
            int[] targets = [.. Enumerable.Range(0, 12).Where(kept => merge.Shares[(kept * 4) + a] > 0).Select(kept => merge.Kept[kept])];
            Assert.Equal(Ints(golden.GetProperty("J")[Array.IndexOf(order, merge.Absorbed[a])]), targets);
        }

        if (softmax)
        {
            Correlation.Compress(merge.Rows);
            AssertClose(Floats(golden.GetProperty("out0")), merge.Apply(Floats(Lcg(16 * 8, 1)), 8)[..8]);
        }
    }

    [Fact]
    public void TheSharedStagesEqualTheGoldenOfTheDecoder()
    {
        var golden = Small.GetProperty("ficoco_l_N10_M6_NS3_eps0.8");
        float[] redundancy = Floats(golden.GetProperty("s"));
        double[] map = Map(6, softmax: true);
        var merge = new Merge(7, 3);
        RedundancyFilter.Split(redundancy, merge.Rows);
        int[] order = Ints(golden.GetProperty("S"));
        Assert.Equal(order.Order(), merge.Absorbed);
        Assert.Equal(Ints(golden.GetProperty("T")), merge.Kept);
        for (int a = 0; a < 3; a++)
        {
            int i = merge.Absorbed[a];
            float[] row = [.. merge.Kept.Select(j => (float)((0.6 * map[(i * 16) + j]) + (0.4 * Enumerable.Range(10, 6).Average(k => map[(i * 16) + k] * map[(k * 16) + j]))))];
            Correlation.Spread(row, Correlation.Count(7, 0.8, strictly: false), merge.Rows, a);
            int[] targets = [.. Enumerable.Range(0, 7).Where(kept => merge.Shares[(kept * 3) + a] > 0).Select(kept => merge.Kept[kept])];
            Assert.Equal(Ints(golden.GetProperty("J")[Array.IndexOf(order, i)]), targets);
        }

        Correlation.Compress(merge.Rows);
        AssertClose(Floats(golden.GetProperty("out0")), merge.Apply(Floats(Lcg(16 * 8, 1))[..(10 * 8)], 8)[..8]);
    }

    [Fact]
    public void CountsEqualTheGoldenAndDifferAtWholePlacesOnly()
    {
        foreach (var golden in Small.GetProperty("ficoco_K_by_n").EnumerateObject())
        {
            int length = int.Parse(golden.Name, System.Globalization.CultureInfo.InvariantCulture);
            int[] counts = Ints(golden.Value);
            double[] epsilons = [0.998, 0.996, 0.994, 0.992];
            for (int i = 0; i < 4; i++)
            {
                Assert.Equal(counts[i], Correlation.Count(length, epsilons[i], strictly: true));
                Assert.Equal(counts[i] + (length == 501 ? 1 : 0), Correlation.Count(length, epsilons[i], strictly: false));
            }
        }

        Assert.Equal(1, Correlation.Count(500, 1, strictly: false));
        Assert.Equal(1, Correlation.Count(500, 1, strictly: true));
        Assert.Equal(1, Correlation.Count(1, 0.5, strictly: false));
        Assert.Equal(500, Correlation.Count(500, 0, strictly: false));
    }

    [Fact]
    public void TheQuantileIsWhatInterpolationSays()
    {
        var random = new Random(5);
        for (int round = 0; round < 200; round++)
        {
            // Few distinct values, so that many are equal.
            float[] row = [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(1, 9) / 8f)];
            double epsilon = random.Next(0, 101) / 100.0;
            double[] sorted = [.. row.Select(static x => (double)x).Order()];
            double place = epsilon * (row.Length - 1);
            double quantile = sorted[(int)Math.Floor(place)] + ((place - Math.Floor(place)) * (sorted[(int)Math.Ceiling(place)] - sorted[(int)Math.Floor(place)]));
            var merge = new Merge(row.Length, 1);
            Correlation.Spread(row, Correlation.Count(row.Length, epsilon, strictly: false), merge.Rows, 0);
            Assert.Equal(row.Select(x => x >= quantile - 1e-9), merge.Shares.Select(static share => share > 0));
            Assert.Equal(1, merge.Shares.Sum(), 1e-5);
        }
    }

    [Fact]
    public void EveryTokenIsAMeanOfItselfAndWhatItTakes()
    {
        var merge = new Merge(3, 2);
        Correlation.Spread([0.1f, 0.4f, 0.4f], 1, merge.Rows, 0);
        Correlation.Spread([0f, 0.9f, 0.3f], 2, merge.Rows, 1);
        Correlation.Compress(merge.Rows);
        AssertClose([1, 1 / 2.25f, 1 / 1.75f], merge.Own);
        AssertClose([0, 0, 0.5f / 2.25f, 0.75f / 2.25f, 0.5f / 1.75f, 0.25f / 1.75f], merge.Shares);
    }

    [Fact]
    public void PenaltiesFollowThePatchesThatAreThere()
    {
        // A grid of three with windows of two: the right and the lower windows are smaller, and the patches 1 and 4 have left.
        float[] redundancy = [1, 2, -1, 4, -8, -6, 0];
        LocalPenalty.Apply(redundancy, [0, 2, 3, 5, 6, 7, 8], grid: 3, window: 2, coefficient: 2);
        Assert.Equal([2, 2, -1, 8, -8, -3, 0], redundancy);
    }

    [Fact]
    public void EqualRedundanciesLeaveFromTheLowerIndex()
    {
        var merge = new Merge(2, 2);
        RedundancyFilter.Split(new float[] { 1, 1, 1, 1 }, merge.Rows);
        Assert.Equal([0, 1], merge.Absorbed);
        Assert.Equal([2, 3], merge.Kept);
        float[] tie = [5, 5, 5, 5];
        LocalPenalty.Apply(tie, [0, 1, 2, 3], grid: 2, window: 2, coefficient: 3);
        Assert.Equal([15, 5, 5, 5], tie);
    }

    [Fact]
    public void NormalisedValuesHaveLengthOne()
    {
        float[] values = [3, -4];
        RedundancyFilter.Normalise(values);
        AssertClose([0.6f, -0.8f], values);
        float[] zeros = [0, 0];
        RedundancyFilter.Normalise(zeros);
        Assert.Equal([0, 0], zeros);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => RedundancyFilter.Combine(new float[3], new float[2], 0.5));
        Assert.Throws<ArgumentException>(static () => RedundancyFilter.Split(new float[3], new Merge(1, 1).Rows));
        Assert.Throws<ArgumentException>(static () => Correlation.Spread(new float[3], 1, new Merge(2, 1).Rows, 0));
        Assert.Throws<ArgumentException>(static () => LocalPenalty.Apply(new float[3], [0, 1], 2, 2, 2));
        Assert.Throws<ArgumentException>(static () => LocalPenalty.Apply(new float[1], [0], 2, 0, 2));
        Assert.Throws<ArgumentException>(static () => new RowMerge(new int[2], new int[1], new float[1], new float[2]));
        Assert.Throws<ArgumentException>(static () => new RowMerge(new int[2], new int[1], new float[2], new float[3]));
    }

    private static double[] Map(double scale, bool softmax)
    {
        double[] map = [.. Lcg(16 * 16, 7).Select(x => scale * x)];
        if (softmax)
        {
            for (int row = 0; row < 16; row++)
            {
                double sum = map[(row * 16)..((row + 1) * 16)].Sum(Math.Exp);
                for (int i = 0; i < 16; i++)
                {
                    map[(row * 16) + i] = Math.Exp(map[(row * 16) + i]) / sum;
                }
            }
        }

        return map;
    }
}
