using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>VisionZip's kernel against golden vectors, at its edges, and without garbage.</summary>
public sealed class VisionZipTests
{
    [Fact]
    public void EqualsTheSmallGolden()
    {
        float[] features = Floats(Lcg(16 * 8, 1));
        var kept = new int[8];
        var weights = new float[8 * 16];
        VisionZip.Select(Floats(Small.GetProperty("cls_attn")), Floats(Lcg(16 * 8, 2)), contextual: 3, kept, weights);
        var golden = Small.GetProperty("visionzip_5_3");
        Assert.Equal([.. Ints(golden.GetProperty("dominant")), .. Ints(golden.GetProperty("targets"))], kept);
        float[] mixed = Mix(weights, features, 16);
        AssertClose(Floats(golden.GetProperty("ctx")), mixed[(5 * 8)..]);
        AssertClose([.. kept[..5].SelectMany(patch => features[(patch * 8)..((patch + 1) * 8)])], mixed[..(5 * 8)]);
    }

    [Theory]
    [InlineData("visionzip_20_10", true)]
    [InlineData("visionzip_20_10_without_cls", false)]
    public void EqualsThePythonReference(string name, bool cls)
    {
        float[] features = [.. cls ? Floats(Lcg(64, 31)) : [], .. Clustered(144, 64, 11)];
        int columns = cls ? 145 : 144;
        var kept = new int[30];
        var weights = new float[30 * columns];
        VisionZip.Select(Floats(Large.GetProperty("attention")), Clustered(144, 32, 21), contextual: 10, kept, weights);
        Assert.Equal(Ints(Large.GetProperty(name + "_kept")), kept);
        AssertClose(Floats(Large.GetProperty(name)), Mix(weights, features, columns));
    }

    [Fact]
    public void EveryPatchIsUsedOnceAndGroupsAreMeans()
    {
        const int Patches = 50;
        float[] attention = Floats(Lcg(Patches, 5));
        float[] keys = Floats(Lcg(Patches * 4, 6));
        for (int contextual = 0; contextual < 20; contextual++)
        {
            var kept = new int[8 + contextual];
            var weights = new float[kept.Length * (Patches + 1)];
            VisionZip.Select(attention, keys, contextual, kept, weights);
            Assert.Equal(kept.Distinct(), kept);
            for (int column = 0; column <= Patches; column++)
            {
                int users = Enumerable.Range(0, kept.Length).Count(row => weights[(row * (Patches + 1)) + column] != 0);
                Assert.Equal(contextual == 0 && !kept.Contains(column - 1) ? 0 : 1, users);
            }

            for (int row = 0; row < kept.Length; row++)
            {
                float[] own = weights[(row * (Patches + 1))..((row + 1) * (Patches + 1))];
                Assert.Equal(1, own[kept[row] + 1]);
                float rest = own.Sum() - 1;
                Assert.True(Math.Abs(rest) < 1e-5 || (row >= 8 && Math.Abs(rest - 1) < 1e-5), $"row {row} has {rest} besides its own");
            }
        }
    }

    [Fact]
    public void EqualKeysGoToTheFirstTarget()
    {
        var keys = new float[12];
        Array.Fill(keys, 1f);
        var kept = new int[4];
        var weights = new float[4 * 6];
        VisionZip.Select([9, 8, 0, 0, 0, 0], keys, contextual: 2, kept, weights);
        Assert.Equal([0, 1, 2, 4], kept);
        Assert.Equal([0, 0, 1, 0.5f, 0, 0.5f], weights[12..18]);
        Assert.Equal([0, 0, 0, 0, 1, 0], weights[18..]);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => VisionZip.Select(new float[4], new float[7], 1, new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => VisionZip.Select(new float[4], new float[8], 1, new int[2], new float[12]));
        Assert.Throws<ArgumentException>(static () => VisionZip.Select(new float[4], new float[8], -1, new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => VisionZip.Select(new float[4], new float[8], 3, new int[2], new float[8]));
        Assert.Throws<ArgumentException>(static () => VisionZip.Select(new float[4], new float[8], 2, new int[5], new float[20]));
        Assert.Throws<ArgumentException>(static () => VisionZip.Select([], [], 0, [], []));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] attention = Floats(Lcg(144, 5));
        float[] keys = Clustered(144, 32, 21);
        var kept = new int[30];
        var weights = new float[30 * 145];
        Allocation.AssertNone(() => VisionZip.Select(attention, keys, 10, kept, weights));
    }
}
