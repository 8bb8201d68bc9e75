using System.Text;
using Espalier.Planning;
using FsCheck;
using FsCheck.Fluent;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>A model and policies, printed when a property fails.</summary>
internal sealed record Declared(ModelGeometry Geometry, PolicyDeclaration[] Policies)
{
    /// <summary>Any model with up to four policies.</summary>
    public static Gen<Declared> Any { get; } =
        from layers in Gen.Choose(1, 14)
        from side in Gen.Choose(1, 12)
        from wild in Gen.Frequency((4, Gen.Constant(0)), (1, Gen.Constant(2)))
        from count in Gen.Choose(0, 4)
        from policies in Policy(layers, side * side, wild).ArrayOf(count)
        select new Declared(Of(layers, side * side), policies);

    public override string ToString()
    {
        var text = new StringBuilder().Append(Geometry.Text.Layers).Append(" layers, ").Append(Geometry.VisualTokens).Append(" visual tokens");
        foreach (PolicyDeclaration policy in Policies)
        {
            text.Append(", [").Append(policy).Append(']');
        }

        return text.ToString();
    }

    /// <summary>A policy that fits the model, or misses it by at most <paramref name="wild"/>.</summary>
    private static Gen<PolicyDeclaration> Policy(int layers, int tokens, int wild)
    {
        Gen<int> layer = Gen.Choose(-wild, layers - 1 + wild);
        Gen<int> boundary = Gen.Choose(-wild, Math.Max(0, layers - 2) + wild);
        Gen<double> share = Gen.Choose(wild > 0 ? -10 : 1, wild > 0 ? 110 : 99).Select(percent => percent / 100.0);
        return Gen.Frequency(
            (3, from after in boundary from keep in Gen.Choose(1 - wild, Math.Max(1, tokens - 1) + wild) select Prune(after, keep)),
            (2, from after in boundary from ratio in share select PruneShare(after, ratio)),
            (2, from after in boundary from keep in Gen.Choose(1 - wild, Math.Max(1, tokens - 1) + wild) from seed in Gen.Choose(-5, 5) select RandomPrune(after - 1, keep, seed)),
            (2, from after in boundary from ratio in share select PruneByScorer(after - 1, ratio)),
            (2, from after in boundary from ratio in share select MergeVisual(after - 1, ratio)),
            (2, from start in boundary from r in Gen.Choose(1 - wild, Math.Max(1, tokens / layers)) from redundancy in Gen.Elements("RawLogits", "SoftmaxColumns", "SoftmaxRows") select FiCoCoL(r, start, redundancy)),
            (1, from stages in Gen.Choose(2 - wild, layers + wild) from lambda in share select PyramidDrop(lambda, stages)),
            (1, from after in boundary from r in share select FastVMean(after + 1, r)),
            (2, from layers2 in Behind(boundary, wild) from keep in Gen.Choose(1 - wild, Math.Max(1, tokens - 1) + wild) from tau in Gen.Choose(0, 10 + wild) select SparseVlm(layers2, [keep, .. layers2.Skip(1).Select(_ => keep / 2)], tau / 10.0)),
            (1, from layers2 in Behind(boundary, wild) from rule in Gen.Elements("Scale", "Lambda") from value in share from tau in Gen.Choose(0, 10) select SparseVlmByRank(layers2, rule, value, tau / 10.0)),
            (1, from layers2 in Behind(boundary, wild) from keep in Gen.Choose(1 - wild, Math.Max(1, tokens - 1) + wild) from heads in Gen.Choose(1 - wild, 6 + wild)
                select SparseVlmPlus(layers2, wild > 0 ? [keep] : [keep, .. layers2.Skip(1).Select(_ => keep / 2)], heads)),
            (wild, from name in Gen.Elements("SparseVlm", "SparseVlmPlus") select new PolicyDeclaration(name, new IntegerArgument("Tokens", 192), new IntegerArgument("Heads", 1))),
            (2, from after in boundary from r in share select FastV(after + 1, r)),
            (2, from list in layer.ArrayOf() select Freeze(wild > 0 ? list : [.. list.Append(layers - 1).Distinct().Order()])),
            (1, from one in layer from two in layer select wild > 0 ? FreezeRange(one, two) : FreezeRange(Math.Min(one, two), Math.Max(one, two))),
            (1, from list in layer.ArrayOf() select ShortV(wild > 0 ? list : [.. list.Append(0).Distinct()])),
            (1, boundary.Select(Exit)),
            (1, boundary.Select(after => Vtw(after + 1))),
            (1, Gen.Constant(DyVte)),
            (1, from a in Gen.Choose(0 - wild, 5) from n in Gen.Choose(1 - wild, 20) select SepLlm(a, n)),
            (1, from k in Gen.Choose(1 - wild, 3) from first in Gen.Choose(0 - wild, 2 + wild) from last in Gen.Choose(0 - wild, 2 + wild) from warmUp in Gen.Choose(0 - wild, 3) select FfnSkip(k, first, last, warmUp)),
            (2, from half in Gen.Choose(0 - wild, 4) from ratio in Gen.Choose(1 - wild, 4) from first in layer from causal in Gen.Elements(false, true) select Yopo(half == 0 ? 0 : (2 * half) - 1, ratio, first, causal)),
            (2, from at in layer from head in Gen.Choose(0 - wild, 5 + wild) from more in Gen.Elements(false, true) select YopoHeads(at, more && head != 2 ? [head, 2] : [head])),
            (2, from list in layer.ArrayOf() from k in share from m in share from reach in Gen.Choose(1 - wild, Math.Max(2, tokens)) select Lens(k, m, reach, wild > 0 ? list : [.. list.Append(0).Distinct()])),
            (2, from after in boundary from registers in Gen.Choose(1 - wild, Math.Max(1, tokens / 3) + wild) select Victor(registers, after + 1)),
            (1, from dominant in Gen.Choose(1 - wild, Math.Max(1, tokens / 2) + wild) from contextual in Gen.Choose(0 - wild, Math.Max(0, (tokens / 2) - 1) + wild) select VisionZip(dominant, contextual)),
            (1, from keep in Gen.Choose(1 - wild, Math.Max(1, tokens - 1) + wild) from tower in Gen.Choose(0 - wild, 4 + wild) select VtcCls(keep, tower)),
            (1, from keep in Gen.Choose(1 - wild, Math.Max(1, tokens - 1) + wild) select DivPrune(keep)),
            (1, from r in Gen.Choose(1 - wild, Math.Max(1, tokens / 6) + wild) from start in Gen.Choose(0 - wild, 4 + wild) select FiCoCoV(r, start)),
            (1, from r in Gen.Choose(1 - wild, Math.Max(1, tokens / 4) + wild) from inflection in Gen.Choose(-10 - wild, 10 + wild) select ToMe(r, inflection / 10.0)),
            (1, from first in Gen.Choose(0 - wild, 2 + wild) from second in Gen.Choose(3 - wild, 4 + wild) from ratio in share from ahead in Gen.Choose(0, 3) select Elip([first, second], [ratio, ratio / 2], ahead)),
            (1, from first in Gen.Choose(0 - wild, 2 + wild) from second in Gen.Choose(3 - wild, 4 + wild) from keep in Gen.Choose(1 - wild, Math.Max(1, tokens - 1) + wild) select PruneAndMerge(keep, first, second)),
            (1, share.Select(DivPruneShare)),
            (1, from plus in Gen.Elements(false, true) from neighbours in Gen.Choose(1 - wild, 40) select PruMerge(plus, neighbours)),
            (1, from neighbours in Gen.Choose(1 - wild, 40) select RecoverableCompression(neighbours)),
            (1, from ratio in share from strategy in Gen.Elements("Rank", "Row") select FoPru(ratio, strategy)),
            (1, from keep in Gen.Choose(1 - wild, Math.Max(1, tokens - 1) + wild) select CDPruner(keep)),
            (1, from least in share from most in share from k2 in Gen.Choose(1 - wild, Math.Max(1, layers - 1) + wild) from round in Gen.Elements("None", "Visual", "VisualAndText") select Similarity(least / 4, most, k2, round)),
            (2, from after in boundary from r in share select Dart(after + 1, r)),
            (2, from halvings in Gen.Choose(0 - wild, 3) from first in boundary from span in Gen.Choose(1 - wild, 4) select Aim(halvings, first - 1, first - 1 + span)),
            (1, from ratio in share from iterations in Gen.Choose(1 - wild, 5) select GPrune(ratio, iterations)));
    }

    /// <summary>One or two layers behind which tokens leave.</summary>
    private static Gen<int[]> Behind(Gen<int> boundary, int wild) =>
        from one in boundary from two in boundary select one == two && wild == 0 ? new[] { one } : wild == 0 ? [Math.Min(one, two), Math.Max(one, two)] : new[] { one, two };
}
