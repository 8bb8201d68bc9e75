using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>FiCoCo-V's kernel, and ToMe's over several layers, against the Python reference; the edges of FiCoCo-V's.</summary>
public sealed class FiCoCoVTests
{
    public static TheoryData<string, bool, int, FiCoCoMode, FiCoCoRedundancy, double, double, int, double> Cases()
    {
        var cases = new TheoryData<string, bool, int, FiCoCoMode, FiCoCoRedundancy, double, double, int, double>();
        foreach (bool cls in (bool[])[true, false])
        {
            cases.Add("paper", cls, 40, FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.35, 0.998, 2, 2);
            cases.Add("code", cls, 40, FiCoCoMode.Code, FiCoCoRedundancy.RawLogits, 0.65, 0.99, 2, 2);
            cases.Add("columns", cls, 25, FiCoCoMode.Paper, FiCoCoRedundancy.SoftmaxColumns, 0.5, 0.95, 3, 1.5);
            cases.Add("rows", cls, 25, FiCoCoMode.Paper, FiCoCoRedundancy.SoftmaxRows, 0.35, 0.9, 5, 2);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EqualsThePythonReference(string name, bool cls, int leaving, FiCoCoMode mode, FiCoCoRedundancy redundancy, double lambda, double epsilon, int window, double coefficient)
    {
        int rows = cls ? 145 : 144;
        float[] map = Map(rows, redundancy != FiCoCoRedundancy.RawLogits);
        var merge = new Merge(144 - leaving, leaving);
        int[] tokens = [.. Enumerable.Range(0, 144)];
        if (cls)
        {
            FiCoCoV.Select(map, tokens, 12, mode, redundancy, lambda, epsilon, window, coefficient, new float[3 * 144], merge.Rows);
        }
        else
        {
            FiCoCoV.Select(map, Clustered(145, 32, 71).AsSpan(0, 144 * 32), tokens, 12, mode, redundancy, lambda, epsilon, window, coefficient, new float[(3 * 144) + 32], merge.Rows);
        }

        name = "ficoco_v_" + name + (cls ? "" : "_without_cls");
        Assert.Equal(Ints(Tower.GetProperty(name + "_kept")), merge.Kept);
        Assert.Equal(Enumerable.Range(0, 144), merge.Kept.Concat(merge.Absorbed).Order());
        int first = cls ? 16 : 0;
        AssertClose(Floats(Tower.GetProperty(name)), merge.Apply(Clustered(145, 16, 51)[first..(first + (144 * 16))], 16));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ToMeEqualsThePythonReferenceOverLayers(bool cls)
    {
        int first = cls ? 1 : 0;
        int[] tokens = [.. Enumerable.Range(0, 144)];
        float[] features = Clustered(145, 16, 51)[(first * 16)..((first + 144) * 16)];
        float[] sizes = [.. Enumerable.Repeat(1f, 144 + first)];
        for (int layer = 0; layer < 3; layer++)
        {
            var merge = new Merge(tokens.Length - 20, 20);
            int rows = tokens.Length + first;
            ToMe.Select(Clustered(145, 32, 71 + (10 * layer)).AsSpan(0, rows * 32), sizes.AsSpan(0, rows), new float[3 * (rows + 1)], merge.Rows);
            features = merge.Apply(features, 16);
            tokens = [.. merge.Kept.Select(token => tokens[token])];
        }

        string name = cls ? "tome" : "tome_without_cls";
        Assert.Equal(Ints(Tower.GetProperty(name + "_kept")), tokens);
        Assert.Equal(Floats(Tower.GetProperty(name + "_sizes")), sizes[..(84 + first)]);
        AssertClose(Floats(Tower.GetProperty(name)), features);
    }

    [Fact]
    public void EverySetOfSharesAddsUpToOneBeforeItIsCompressed()
    {
        var merge = new Merge(100, 44);
        FiCoCoV.Select(Map(145, softmax: false), [.. Enumerable.Range(0, 144)], 12, FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.35, 0.97, 2, 2, new float[3 * 144], merge.Rows);
        for (int a = 0; a < 44; a++)
        {
            Assert.Equal(1, Enumerable.Range(0, 100).Sum(k => merge.Shares[(k * 44) + a] / merge.Own[k]), 1e-4);
        }

        for (int k = 0; k < 100; k++)
        {
            Assert.Equal(1, merge.Own[k] + Enumerable.Range(0, 44).Sum(a => merge.Shares[(k * 44) + a]), 1e-5);
        }
    }

    [Fact]
    public void AnEpsilonOfOneGivesOneTarget()
    {
        foreach (FiCoCoMode mode in (FiCoCoMode[])[FiCoCoMode.Paper, FiCoCoMode.Code])
        {
            var merge = new Merge(134, 10);
            FiCoCoV.Select(Map(145, softmax: true), [.. Enumerable.Range(0, 144)], 12, mode, FiCoCoRedundancy.SoftmaxColumns, 0.35, 1, 2, 2, new float[3 * 144], merge.Rows);
            Assert.Equal(10, merge.Shares.Count(static share => share != 0));
        }
    }

    [Fact]
    public void TheRowOfASoftmaxRanksByTheClsTokenAlone()
    {
        // All patches pay as much to the CLS token, so the rest of each row adds up to the same, whatever the patches are to each other.
        float[] map = [.. Lcg(17 * 17, 61).Chunk(17).SelectMany(static row =>
        {
            double sum = row.Skip(1).Sum(static x => Math.Exp(6 * x));
            return row.Select((x, i) => i == 0 ? 0.25f : (float)(0.75 * Math.Exp(6 * x) / sum));
        })];
        int[] leastAttended = [.. Enumerable.Range(0, 16).OrderBy(patch => map[1 + patch]).Take(5).Order()];
        Assert.Equal(leastAttended, Leaving(map, FiCoCoRedundancy.SoftmaxRows));
        Assert.NotEqual(leastAttended, Leaving(map, FiCoCoRedundancy.SoftmaxColumns));
        Assert.NotEqual(leastAttended, Leaving([.. Lcg(17 * 17, 61).Select(static x => (float)x)], FiCoCoRedundancy.RawLogits));

        static int[] Leaving(float[] map, FiCoCoRedundancy redundancy)
        {
            var merge = new Merge(11, 5);
            FiCoCoV.Select(map, [.. Enumerable.Range(0, 16)], 4, FiCoCoMode.Paper, redundancy, 0.5, 0.9, 1, 1, new float[48], merge.Rows);
            return merge.Absorbed;
        }
    }

    [Theory]
    [InlineData(FiCoCoMode.Paper, 3)]
    [InlineData(FiCoCoMode.Code, 1)]
    public void OfEqualCorrelationsPaperModeTakesAllAndCodeModeItsCount(FiCoCoMode mode, int targets)
    {
        // Patch 0 is the only one that CLS does not attend to; it is as much correlated to each of the others.
        float[] map = [.. Enumerable.Repeat(0.2f, 25)];
        map[1] = 0;
        var merge = new Merge(3, 1);
        FiCoCoV.Select(map, [0, 1, 2, 3], 2, mode, FiCoCoRedundancy.SoftmaxRows, 0.35, 0.998, 2, 1, new float[12], merge.Rows);
        Assert.Equal([0], merge.Absorbed);
        Assert.Equal(Enumerable.Range(0, 3).Select(target => target < targets), merge.Shares.Select(static share => share > 0));
    }

    [Fact]
    public void WhatLeavesLandsOnTheTokensThatItIsCorrelatedTo()
    {
        // Patches 0 and 3 leave; 0 is correlated to 4 most, and to 3, which leaves too, more still. Behind the merge patch 4 is row 2.
        var map = new float[49];
        float[] attention = [0, 0, 0.5f, 0.5f, 0, 0.5f, 0.5f];
        attention.CopyTo(map, 0);
        map[7 + 4] = 0.9f;
        map[7 + 5] = 0.8f;
        map[7 + 2] = 0.1f;
        map[28 + 2] = 0.7f;
        var merge = new Merge(4, 2);
        FiCoCoV.Select(map, [0, 1, 2, 3, 4, 5], 3, FiCoCoMode.Paper, FiCoCoRedundancy.SoftmaxColumns, 0, 0.998, 1, 1, new float[18], merge.Rows);
        Assert.Equal([0, 3], merge.Absorbed);
        Assert.Equal([1, 2, 4, 5], merge.Kept);
        AssertClose([0, 0.5f, 0, 0, 0.5f, 0, 0, 0], merge.Shares);
        AssertClose([0.5f, 1, 0.5f, 1], merge.Own);
    }

    [Fact]
    public void ASecondImageFindsNothingOfTheFirst()
    {
        float[] first = Map(145, softmax: false);
        float[] second = [.. first.Reverse()];
        var scratch = new float[3 * 144];
        var (alone, again) = (new Merge(104, 40), new Merge(104, 40));
        Select(first, scratch, alone);
        Select(second, scratch, new Merge(104, 40));
        Select(first, scratch, again);
        Assert.Equal(alone.Kept, again.Kept);
        Assert.Equal(alone.Own, again.Own);
        Assert.Equal(alone.Shares, again.Shares);

        static void Select(float[] map, float[] scratch, Merge merge) =>
            FiCoCoV.Select(map, [.. Enumerable.Range(0, 144)], 12, FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.35, 0.998, 2, 2, scratch, merge.Rows);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        static void Select(int map, int tokens, int scratch, int kept, int absorbed) =>
            FiCoCoV.Select(new float[map], new int[tokens], 2, FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.35, 0.9, 2, 2, new float[scratch], new Merge(kept, absorbed).Rows);

        static void SelectByKeys(int map, int keys, int scratch) =>
            FiCoCoV.Select(new float[map], new float[keys], [0, 1, 2, 3], 2, FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.35, 0.9, 2, 2, new float[scratch], new Merge(3, 1).Rows);

        Assert.Throws<ArgumentException>(static () => Select(24, 4, 12, 3, 1));
        Assert.Throws<ArgumentException>(static () => Select(25, 4, 11, 3, 1));
        Assert.Throws<ArgumentException>(static () => Select(25, 4, 12, 2, 1));
        Assert.Throws<ArgumentException>(static () => Select(25, 4, 12, 0, 4));
        Assert.Throws<ArgumentException>(static () => SelectByKeys(16, 9, 20));
        Assert.Throws<ArgumentException>(static () => SelectByKeys(16, 8, 13));
        SelectByKeys(16, 8, 14);
        Select(25, 4, 12, 3, 1);
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] map = Map(145, softmax: false);
        int[] tokens = [.. Enumerable.Range(0, 144)];
        var scratch = new float[3 * 144];
        var merge = new Merge(104, 40);
        Allocation.AssertNone(() => FiCoCoV.Select(map, tokens, 12, FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.35, 0.998, 2, 2, scratch, merge.Rows));
    }

    private static float[] Map(int rows, bool softmax)
    {
        float[] all = [.. Lcg(145 * 145, 61).Select(static x => (float)(4 * x))];
        float[][] map = [.. Enumerable.Range(0, rows).Select(row => all[(row * 145)..((row * 145) + rows)])];
        if (softmax)
        {
            map = Array.ConvertAll(map, static row =>
            {
                double sum = row.Sum(static x => Math.Exp(x));
                return Array.ConvertAll(row, x => (float)(Math.Exp(x) / sum));
            });
        }

        return [.. map.SelectMany(static row => row)];
    }
}
