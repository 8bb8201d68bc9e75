using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>ToMe's kernel and its matching against golden vectors, at their edges, and without garbage.</summary>
public sealed class ToMeTests
{
    [Fact]
    public void EqualsTheSmallGolden()
    {
        var golden = Small.GetProperty("tome_r5_cls");
        var merge = new Merge(10, 5);
        float[] sizes = [.. Enumerable.Repeat(1f, 16)];
        ToMe.Select(Floats(Lcg(16 * 8, 2)), sizes, new float[51], merge.Rows);

        // The golden counts rows, of which the first is the CLS token; the merge counts tokens behind it.
        Assert.Equal(Ints(golden.GetProperty("merged_src")), merge.Absorbed.Select(static token => token + 1));
        Assert.Equal([.. Ints(golden.GetProperty("unmerged"))[1..], 1, 3, 5, 7, 9, 11, 13, 15], merge.Kept.Select(static token => token + 1));
        Assert.Equal(Floats(golden.GetProperty("sizes")), sizes[..11]);
        AssertClose(Floats(golden.GetProperty("out_last")), merge.Apply(Floats(Lcg(16 * 8, 1))[8..], 8)[^8..]);
    }

    [Fact]
    public void SizesAddUpAndTokensAreMeansOverLayers()
    {
        foreach (int cls in (int[])[0, 1])
        {
            int tokens = 41;
            float[] sizes = [.. Enumerable.Repeat(1f, tokens + cls)];
            double[][] patches = [.. Enumerable.Range(0, tokens).Select(patch => Enumerable.Range(0, tokens).Select(i => i == patch ? 1.0 : 0).ToArray())];
            for (int layer = 0; layer < 4; layer++)
            {
                int merged = 7 - layer;
                var merge = new Merge(tokens - merged, merged);
                ToMe.Select(Floats(Lcg((tokens + cls) * 4, 50 + layer)), sizes.AsSpan(0, tokens + cls), new float[3 * (tokens + cls + 1)], merge.Rows);
                Assert.Equal(Enumerable.Range(0, tokens), merge.Kept.Concat(merge.Absorbed).Order());
                float[] mixed = merge.Apply([.. patches.SelectMany(static row => row.Select(static x => (float)x))], 41);
                tokens -= merged;
                patches = [.. mixed.Chunk(41).Select(static row => Array.ConvertAll(row, static x => (double)x))];
                Assert.Equal(41, sizes[cls..(tokens + cls)].Sum(), 1e-4);
                for (int token = 0; token < tokens; token++)
                {
                    // A token is the mean of as many patches as its size says.
                    Assert.Equal(1, patches[token].Sum(), 1e-4);
                    Assert.Equal(sizes[cls + token], patches[token].Count(static x => x > 0));
                    Assert.All(patches[token].Where(static x => x > 0), x => Assert.Equal(1 / sizes[cls + token], x, 1e-5));
                }
            }
        }
    }

    [Fact]
    public void TheMatchingIsTheBestOverAllPairs()
    {
        float[] metric = Clustered(31, 6, 9);
        double Cosine(int a, int b)
        {
            double[] one = [.. metric[(a * 6)..((a + 1) * 6)].Select(static x => (double)x)];
            double[] other = [.. metric[(b * 6)..((b + 1) * 6)].Select(static x => (double)x)];
            return one.Zip(other, static (x, y) => x * y).Sum() / Math.Sqrt(one.Sum(static x => x * x) * other.Sum(static x => x * x));
        }

        var (similarities, nearest, order) = (new float[16], new int[16], new int[16]);
        BipartiteMatching.Match(metric, 31, protectFirst: false, similarities, nearest, order, new float[31]);
        for (int i = 0; i < 16; i++)
        {
            int best = Enumerable.Range(0, 15).MaxBy(j => Cosine(2 * i, (2 * j) + 1));
            Assert.Equal(best, nearest[i]);
            Assert.Equal(Cosine(2 * i, (2 * best) + 1), similarities[i], 1e-5);
        }

        Assert.Equal(Enumerable.Range(0, 16).OrderByDescending(i => similarities[i]), order);
        BipartiteMatching.Match(metric, 31, protectFirst: true, similarities, nearest, order, new float[31]);
        Assert.Equal(0, order[^1]);
    }

    [Fact]
    public void EqualSimilaritiesMergeFromTheLowerIndexIntoTheLowerIndex()
    {
        var merge = new Merge(4, 2);
        ToMe.Select([1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], new float[21], merge.Rows);
        Assert.Equal([0, 2], merge.Absorbed);
        Assert.Equal([4, 1, 3, 5], merge.Kept);
        AssertClose([1, 1 / 3f, 1, 1], merge.Own);
        AssertClose([0, 0, 1 / 3f, 1 / 3f, 0, 0, 0, 0], merge.Shares);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void TheClsRowStaysAmongRowsThatAreNoNumbers(float wrong)
    {
        // Rows 2 and 4 have no cosine with any row; of the two that merge one is row 6, and none is the CLS row.
        float[] keys = [1, 0, 1, 0, wrong, 0, 0, 1, wrong, 0, 1, 0, 1, 0];
        var merge = new Merge(4, 2);
        ToMe.Select(keys, [1, 1, 1, 1, 1, 1, 1], new float[24], merge.Rows);
        Assert.Equal([5, 1], merge.Absorbed);
        Assert.Equal([3, 0, 2, 4], merge.Kept);
        ToMe.Select([.. Enumerable.Repeat(wrong, 14)], [1, 1, 1, 1, 1, 1, 1], new float[24], merge.Rows);
        Assert.Equal(Enumerable.Range(0, 6), merge.Kept.Concat(merge.Absorbed).Order());
    }

    [Fact]
    public void WithoutClsTheRestIsOrderedBySimilarity()
    {
        // Even rows at growing angles from the only direction of the odd ones, the last of them nearest.
        float[] keys = [0.2f, 1, 1, 0, 0.5f, 1, 1, 0, 5, 1, 1, 0];
        var merge = new Merge(5, 1);
        ToMe.Select(keys, [1, 1, 1, 1, 1, 1], new float[21], merge.Rows);
        Assert.Equal([4], merge.Absorbed);
        Assert.Equal([2, 0, 1, 3, 5], merge.Kept);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => ToMe.Select(new float[12], new float[6], new float[21], new Merge(2, 2).Rows));
        Assert.Throws<ArgumentException>(static () => ToMe.Select(new float[13], new float[6], new float[21], new Merge(4, 2).Rows));
        Assert.Throws<ArgumentException>(static () => ToMe.Select(new float[12], new float[6], new float[20], new Merge(4, 2).Rows));
        Assert.Throws<ArgumentException>(static () => ToMe.Select(new float[12], new float[6], new float[21], new Merge(2, 4).Rows));
        Assert.Throws<ArgumentException>(static () => BipartiteMatching.Match(new float[1], 1, false, new float[1], new int[1], new int[1], new float[1]));
        Assert.Throws<ArgumentException>(static () => BipartiteMatching.Match(new float[4], 4, false, new float[3], new int[2], new int[2], new float[4]));
    }

    [Fact]
    public void AllocatesNothing()
    {
        float[] keys = Clustered(145, 32, 21);
        var merge = new Merge(120, 24);
        var scratch = new float[3 * 146];
        float[] sizes = [.. Enumerable.Repeat(1f, 145)];
        Allocation.AssertNone(() => ToMe.Select(keys, sizes, scratch, merge.Rows));
    }
}
