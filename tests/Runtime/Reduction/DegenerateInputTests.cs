using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>Whatever a broken model hands to a kernel, infinities, NaN, nothing but equal numbers or one token, the tokens that it names exist, are named once and are as many as were asked for.</summary>
public sealed class DegenerateInputTests
{
    private const int Width = 8;

    public static TheoryData<int, string> Inputs()
    {
        var inputs = new TheoryData<int, string>();
        foreach (int tokens in (int[])[1, 2, 3, 9, 16])
        {
            foreach (string kind in (string[])["numbers", "equal", "zero", "NaN", "one NaN", "infinite", "one infinite", "huge", "tiny"])
            {
                inputs.Add(tokens, kind);
            }
        }

        return inputs;
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void TokensThatStayAreNamedOnceInTheirOrder(int tokens, string kind)
    {
        float[] features = Spoil(Lcg(tokens * Width, 1), kind);
        float[] scores = Spoil(Lcg(tokens, 2), kind);
        foreach (int keep in new HashSet<int> { 1, (tokens + 1) / 2, tokens })
        {
            AssertKept(tokens, keep, kept => TokenSelection.TopK(scores, kept));
            AssertKept(tokens, keep, kept => DivPrune.Select(features, tokens, new float[2 * tokens], kept));
            AssertKept(tokens, keep, kept => CDPruner.Select(features, tokens, scores, new float[tokens * (keep + 3)], kept));
            AssertKept(tokens, keep, kept => GPrune.Select(features, tokens, 0.5, 0.03, 5, new float[tokens * (tokens + 3)], kept));
            AssertKept(tokens, keep, kept => FoPru.Select(scores, 1, new float[tokens], kept));
        }

        foreach (InflectionCut cut in Enum.GetValues<InflectionCut>())
        {
            AssertSome(tokens, kept => SparsityMeetsSimilarity.Select(scores, cut, 9, 1, new float[4 * tokens], kept));
            AssertSome(tokens, kept => SparsityMeetsSimilarity.Select(Spoil(Lcg((tokens + 1) * Width, 3), kind), tokens, cut, 3, 0, new float[5 * tokens], kept));
        }

        foreach (double theta in (double[])[0.01, 1, 3])
        {
            AssertSome(tokens, kept => RelevantTokens.Select(scores, theta, kept));
        }

        AssertSome(tokens, kept => SparseVlm.Select(scores, 1, 2.5, 1, kept));
        AssertSome(tokens, kept => SparseVlm.Select(scores, 1, 0.7, kept));
        AssertSome(tokens, kept => TextRaters.Select(Spoil(Lcg(5 * Width, 4), kind), features, Width, new float[2 * tokens], kept));
        var attention = new RaterAttention(Spoil(Lcg(3 * 2 * (tokens + 2), 5), kind), 3, 1, [tokens + 1L, tokens + 2L], [.. Enumerable.Range(1, tokens).Select(static i => (long)i)], new float[tokens + 3]);
        var highest = new int[(tokens + 1) / 2];
        SparseVlmPlus.Select(new float[tokens], attention, 2, new float[6], highest);
        AssertAscending(tokens, highest);
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void EveryTokenIsInAMergeOnce(int tokens, string kind)
    {
        float[] features = Spoil(Lcg(tokens * Width, 1), kind);
        float[] scores = Spoil(Lcg(tokens, 2), kind);
        float[] map = Spoil(Lcg((tokens + 1) * (tokens + 1), 6), kind);
        int[] all = [.. Enumerable.Range(0, tokens)];
        foreach (int leaving in new HashSet<int> { 0, tokens / 2, tokens - 1 })
        {
            foreach (FiCoCoMode mode in Enum.GetValues<FiCoCoMode>())
            {
                foreach (FiCoCoRedundancy redundancy in Enum.GetValues<FiCoCoRedundancy>())
                {
                    AssertMerge(tokens, leaving, merge => FiCoCoV.Select(map, all, 4, mode, redundancy, 0.35, 0.9, 2, 2, new float[3 * tokens], merge.Rows));
                    AssertMerge(tokens, leaving, merge => FiCoCoV.Select(map.AsSpan(0, tokens * tokens), features, all, 4, mode, redundancy, 0.35, 0.9, 2, 2, new float[(3 * tokens) + Width], merge.Rows));
                    AssertMerge(tokens, leaving, merge => FiCoCoL.Select(new AttentionMap(map, 0, tokens, 1), mode, redundancy, 0.6, 0.6, 0.9, new float[2 * tokens], merge.Rows));
                }
            }

            AssertMerge(tokens, leaving, merge => SimilarTokens.Select(scores, features, new float[2 * tokens], merge.Rows));
        }

        foreach (int keep in (int[])[0, tokens / 2])
        {
            int left = Planning.Recycling.Left(tokens, keep, 0.3);
            AssertMerge(tokens, tokens - left, merge => SparseVlm.Select(scores, features, keep, 0.3, new float[(tokens * tokens) + (5 * tokens)], merge.Rows));
        }
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void TokensOfTheTowerStandForPatchesThatExist(int patches, string kind)
    {
        float[] keys = Spoil(Lcg(patches * Width, 1), kind);
        float[] scores = Spoil(Lcg(patches, 2), kind);
        AssertPatches(patches, (kept, weights) => PruMerge.Select(scores, keys, 3, new float[2 * patches], kept, weights));
        AssertPatches(patches, (kept, weights) => PruMergePlus.Select(scores, keys, 3, new float[2 * patches], kept, weights));
        foreach (InflectionCut cut in Enum.GetValues<InflectionCut>())
        {
            AssertPatches(patches, (kept, weights) => RecoverableCompression.Select(scores, keys, Spoil(Lcg(patches, 7), kind), cut, 9, 3, 50, new float[7 * patches], kept, weights));
        }

        AssertPatches(patches, (kept, weights) =>
        {
            VisionZip.Select(scores, keys, patches / 2, kept, weights);
            return kept.Length;
        });
        AssertPatches(patches, (kept, weights) => Aim.Select(keys, patches, 2, AimOrder.Similarity, new float[(8 * (patches + 1)) + ((patches + 1) / 2 * Width)], kept, weights));
    }

    private static void AssertKept(int tokens, int keep, Action<int[]> select)
    {
        var kept = new int[keep];
        kept.AsSpan().Fill(-1);
        select(kept);
        AssertAscending(tokens, kept);
    }

    private static void AssertSome(int tokens, Func<int[], int> select)
    {
        var kept = new int[tokens];
        kept.AsSpan().Fill(-1);
        int count = select(kept);
        Assert.InRange(count, 1, tokens);
        AssertAscending(tokens, kept[..count]);
    }

    private static void AssertAscending(int tokens, int[] kept)
    {
        Assert.Equal(kept.Distinct().Order(), kept);
        Assert.All(kept, token => Assert.InRange(token, 0, tokens - 1));
    }

    private static void AssertMerge(int tokens, int leaving, Action<Merge> select)
    {
        var merge = new Merge(tokens - leaving, leaving);
        select(merge);
        Assert.Equal(Enumerable.Range(0, tokens), merge.Kept.Concat(merge.Absorbed).Order());
    }

    private static void AssertPatches(int patches, Func<int[], float[], int> select)
    {
        var kept = new int[patches];
        kept.AsSpan().Fill(-9);
        int count = select(kept, new float[patches * patches]);
        Assert.InRange(count, 1, patches);
        int[] named = [.. kept[..count].Where(static patch => patch != PruMerge.Rest)];
        Assert.Equal(named.Length, named.Distinct().Count());
        Assert.All(named, patch => Assert.InRange(patch, 0, patches - 1));
    }

    private static float[] Spoil(double[] values, string kind)
    {
        float[] spoilt = [.. values.Select(value => kind switch
        {
            "equal" => 0.1f,
            "zero" => 0,
            "NaN" => float.NaN,
            "infinite" => value > 0 ? float.PositiveInfinity : float.NegativeInfinity,
            "huge" => (float)(value * 6e38),
            "tiny" => (float)(value * 1e-44),
            _ => (float)value,
        })];
        spoilt[spoilt.Length / 3] = kind switch
        {
            "one NaN" => float.NaN,
            "one infinite" => float.PositiveInfinity,
            _ => spoilt[spoilt.Length / 3],
        };
        return spoilt;
    }
}
