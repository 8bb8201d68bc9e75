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
