using System.Text;
using Espalier.Emission;
using Espalier.Parsing;
using Espalier.Planning;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.CodeAnalysis.CSharp;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>What holds for every model and every set of policies.</summary>
public sealed class PlannerProperties
{
    private const int Cases = 2000;

    [Fact]
    public void ThePlanIsWhatEachLayerWouldSayAlone() => Check(Cases, declared =>
    {
        ReductionPlan? plan = Planner.Plan(declared.Geometry, declared.Policies).Plan;
        if (plan is null)
        {
            return;
        }

        // A twin that knows neither segments nor order: each layer asks every primitive what it does to it.
        int visual = Twin.VisualTokensBeforeTheDecoder(declared);
        for (int layer = 0; layer < plan.Layers; layer++)
        {
            visual = Twin.VisualTokensAt(declared, layer, visual);
            Assert.Equal(visual, plan.VisualTokensAt(layer));
            Assert.Equal(layer == plan.Layers - 1 || Twin.IsFrozen(declared, layer), plan.KindAt(layer).IsFrozen());
        }
    });

    [Fact]
    public void SegmentsAndRunsTileTheLayersAndCountsNeverRise() => Check(Cases, declared =>
    {
        if (Planner.Plan(declared.Geometry, declared.Policies).Plan is not { } plan)
        {
            return;
        }

        AssertTiles(plan, plan.Segments.Select(segment => (segment.FirstLayer, segment.LastLayer)));
        AssertTiles(plan, plan.PrefillRuns().Select(run => (run.FirstLayer, run.LastLayer)));
        AssertTiles(plan, plan.DecodeRuns().Select(run => (run.FirstLayer, run.LastLayer)));
        Assert.All(plan.Segments.Zip(plan.Segments.Skip(1)), pair =>
        {
            Assert.True(pair.First.VisualTokens >= pair.Second.VisualTokens);
            Assert.True(plan.IsDynamicAt(pair.Second.FirstLayer) || (pair.First.Mode, pair.First.VisualTokens, pair.First.Partial) != (pair.Second.Mode, pair.Second.VisualTokens, pair.Second.Partial));
        });
        Assert.All(plan.Steps, step => Assert.True(step.TokensBefore >= step.TokensAfter + (step.Count?.Rule == CountRule.Found ? 0 : 1) && step.AfterLayer >= -1 && step.AfterLayer < (step.IsVisionSide ? 0 : plan.Layers - 1)));
        Assert.All(plan.PrefillRuns().Where(run => run.Kind.IsScored()), run => Assert.Equal(run.FirstLayer, run.LastLayer));
    });

    [Fact]
    public void AReductionNeverCostsMoreThanTheDenseModel() => Check(Cases, declared =>
    {
        if (Planner.Plan(declared.Geometry, declared.Policies).Plan is not { } plan)
        {
            return;
        }

        // Registers are rows like those of text: a plan with 8 of them costs what it would with 8 more text rows.
        int text = 17 + plan.Registers;
        ReductionPlan bare = Bare(plan);
        foreach (FlopsConvention convention in Enum.GetValues<FlopsConvention>())
        {
            Assert.Equal(bare.Flops(convention, text), plan.Flops(convention, 17));
            Assert.InRange(bare.Flops(convention, 17), 1, plan.DenseFlops(convention, 17));
            Assert.InRange(plan.TypicalFlops(convention, 17), 1, plan.Flops(convention, 17) * (1 + 1e-12));
        }

        Assert.InRange(plan.LeastKeyValueBytes(17), 0, plan.KeyValueBytes(17));
        Assert.Equal(plan.Eviction is not { } eviction || eviction.Initial + eviction.Neighbours >= 17, plan.LeastKeyValueBytes(17) == plan.KeyValueBytes(17));
        double least = plan.LeastDecodeFlops(FlopsConvention.C, 17);
        Assert.InRange(least, 1, plan.DecodeFlops(FlopsConvention.C, 17) - (plan.Skips is null ? 0 : 1));
        Assert.InRange(plan.KeyValueBytes(17), 1, plan.DenseKeyValueBytes(17) - (plan.Registers > 0 ? 1 : 0));
        Assert.Equal(Enumerable.Range(0, plan.Layers).Sum(layer => (long)plan.RowsAt(layer, 17) - text), plan.VisualRowsComputed);
    });

    [Fact]
    public void TheOrderOfPoliciesHasNoMeaning() => Check(Cases, declared =>
    {
        PlanResult forward = Planner.Plan(declared.Geometry, declared.Policies);
        PlanResult backward = Planner.Plan(declared.Geometry, [.. declared.Policies.Reverse()]);
        Assert.Equal(forward.Plan, backward.Plan);
        Assert.Equal(forward.Plan is null, backward.Plan is null);
    });

    [Fact]
    public void NoPlanMeansAReasonAtAWrittenPlace() => Check(Cases, declared =>
    {
        PlanResult result = Planner.Plan(declared.Geometry, declared.Policies);
        Assert.Equal(result.Plan is null, result.Problems.Any(problem => problem.IsFatal));
        Assert.All(result.Problems, problem =>
        {
            PolicyDeclaration policy = declared.Policies[problem.Policy];
            Assert.StartsWith("'" + policy + "'", problem.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("{", problem.Message, StringComparison.Ordinal);
            PolicyArgument? argument = policy.Arguments.SingleOrDefault(argument => argument.Name == problem.Argument);
            Assert.Equal(problem.Argument is null, argument is null);
            Assert.InRange(problem.Element, -1, argument switch
            {
                LayersArgument list => list.Layers.Count - 1,
                NumbersArgument numbers => numbers.Values.Count - 1,
                _ => -1,
            });
        });
    });

    [Fact]
    public void EveryAcceptedPlanCompilesAndRunsAsPlanned()
    {
        var accepted = new List<ReductionPlan>();
        Check(Cases, declared =>
        {
            if (accepted.Count < 200 && Planner.Plan(declared.Geometry, declared.Policies).Plan is { IsDense: false } plan && !accepted.Contains(plan))
            {
                accepted.Add(plan);
            }
        });
        Assert.Equal(200, accepted.Count);

        var sources = new List<(string, string)>();
        for (int i = 0; i < accepted.Count; i++)
        {
            var declaration = new ModelDeclaration("Random", default, "M" + i, "M" + i, "M" + i + ".g.cs", "random", "Float32", default, AllowsUnsafe: i % 2 == 0);
            sources.Add((declaration.HintName, ModelEmitter.Emit(new PlannedModel(declaration, accepted[i])).Replace("partial class", "public partial class", StringComparison.Ordinal)));
        }

        CSharpCompilation compilation = Compiling.Recording(sources);
        Compiling.AssertClean(compilation);
        System.Reflection.Assembly loaded = Loading.Load(compilation);
        for (int i = 0; i < accepted.Count; i++)
        {
            Type model = loaded.GetType("Random.M" + i, throwOnError: true)!;
            Assert.Equal(accepted[i], Loading.PlanOf(model));
            Assert.Equal(ExpectedCalls.Of(accepted[i]), Loading.Record(model));
        }
    }

    [Fact]
    public void TheGeneratorOfCasesReachesWhatItShould()
    {
        // A property over cases that are all rejected, or all dense, would say nothing.
        int planned = 0;
        var kinds = new HashSet<PlanProblemKind>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        Check(3 * Cases, declared =>
        {
            PlanResult result = Planner.Plan(declared.Geometry, declared.Policies);
            if (result.Plan is { IsDense: false })
            {
                planned++;
                names.UnionWith(declared.Policies.Select(policy => policy.Name));
            }

            kinds.UnionWith(result.Problems.Select(problem => problem.Kind));
        });
        Assert.InRange(planned, Cases / 2, 3 * Cases);
        Assert.Equal(PolicyMethods.Names.Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
        Assert.Superset(
            new HashSet<PlanProblemKind>(Enum.GetValues<PlanProblemKind>().Except([PlanProblemKind.KeepUnclear, PlanProblemKind.UnknownScore, PlanProblemKind.CountAndShare, PlanProblemKind.UnknownChoice, PlanProblemKind.NoClsAttention, PlanProblemKind.TowerNotReducible])),
            kinds);
    }

    /// <summary>The plan without its registers.</summary>
    private static ReductionPlan Bare(ReductionPlan plan) =>
        new(plan.Geometry, plan.Segments, [.. plan.Steps.Select(step => step.Registers == 0 ? step : step with { Compress = Compress.Drop, Registers = 0 })]);

    private static void AssertTiles(ReductionPlan plan, IEnumerable<(int First, int Last)> ranges)
    {
        int next = 0;
        foreach ((int first, int last) in ranges)
        {
            Assert.Equal(next, first);
            Assert.True(last >= first);
            next = last + 1;
        }

        Assert.Equal(plan.Layers, next);
    }

    private static void Check(int cases, Action<Declared> property) =>
        Prop.ForAll(Declarations.ToArbitrary(), property).Check(Config.QuickThrowOnFailure.WithMaxTest(cases).WithQuietOnSuccess(true));

    private static Gen<Declared> Declarations { get; } =
        from layers in Gen.Choose(1, 14)
        from side in Gen.Choose(1, 12)
        from wild in Gen.Frequency((4, Gen.Constant(0)), (1, Gen.Constant(2)))
        from count in Gen.Choose(0, 4)
        from policies in Policy(layers, side * side, wild).ArrayOf(count)
        select new Declared(Of(layers, side * side), policies);

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

    /// <summary>A model and policies, printed when a property fails.</summary>
    private sealed record Declared(ModelGeometry Geometry, PolicyDeclaration[] Policies)
    {
        public override string ToString()
        {
            var text = new StringBuilder().Append(Geometry.Text.Layers).Append(" layers, ").Append(Geometry.VisualTokens).Append(" visual tokens");
            foreach (PolicyDeclaration policy in Policies)
            {
                text.Append(", [").Append(policy).Append(']');
            }

            return text.ToString();
        }
    }

    /// <summary>The meaning of the policies, told a second time and as plainly as possible.</summary>
    private static class Twin
    {
        public static int VisualTokensBeforeTheDecoder(Declared declared)
        {
            int visual = declared.Geometry.VisualTokens;
            foreach (string name in (string[])["FiCoCoV", "ToMe", "Elip", "VisionZip", "VtcCls", "SparsityMeetsSimilarity", "PruMerge", "PruMergePlus", "RecoverableCompression", "FoPru", "DivPrune", "GPrune", "CDPruner", "Aim"])
            {
                if (declared.Policies.SingleOrDefault(policy => policy.Name == name) is { } policy)
                {
                    visual = policy.Arguments[0] switch
                    {
                        IntegerArgument { Name: "R" } r when name == "FiCoCoV" => visual - ((5 - Start(policy)) * r.Value),
                        IntegerArgument { Name: "R" } r => BehindToMe(visual, r.Value, ((RealArgument)policy.Arguments[1]).Value),
                        NumbersArgument { Name: "Ratios" } ratios => 1 + (int)(visual * ratios.Values[^1]),
                        IntegerArgument { Name: "Dominant" } dominant => dominant.Value + ((IntegerArgument)policy.Arguments[1]).Value,
                        IntegerArgument { Name: "Keep" } keep => keep.Value,
                        IntegerArgument { Name: "Halvings" } halvings => (int)Math.Ceiling(visual / Math.Pow(2, halvings.Value)),
                        RealArgument { Name: "Ratio" } ratio => (int)Math.Round(visual * ratio.Value, MidpointRounding.ToEven),
                        RealArgument { Name: "KeepRatio" } ratio when name == "FoPru" => FoPru(visual, ratio.Value, ((ChoiceArgument)policy.Arguments[1]).Member),
                        RealArgument { Name: "KeepRatio" } ratio => (int)(visual * ratio.Value),
                        IntegerArgument { Name: "Neighbours" } when name == "RecoverableCompression" => visual,
                        IntegerArgument { Name: "Neighbours" } => MostOutliers(visual, name == "PruMergePlus"),
                        RealArgument { Name: "AtMost" } most => Math.Max(1, (int)(visual * most.Value)),
                        var other => throw new InvalidOperationException(other.ToString()),
                    };
                }
            }

            return visual;
        }

        private static int Start(PolicyDeclaration policy) => ((IntegerArgument)policy.Arguments[1]).Value is var start && start == -1 ? 3 : start;

        // Five of the six tower layers run.
        private static int BehindToMe(int visual, int r, double inflection)
        {
            int first = (int)(r * (1 - inflection));
            for (int layer = 0; layer < 5; layer++)
            {
                visual -= Math.Min(visual / 2, (int)(first + (layer * ((2.0 * r) - first - first) / 4)));
            }

            return visual;
        }

        private static int FoPru(int visual, double ratio, string strategy)
        {
            int side = (int)Math.Sqrt(visual);
            return strategy == "Rank" ? (int)Math.Round(visual * ratio, MidpointRounding.ToEven) : side * Math.Max(1, (int)Math.Round(side * ratio, MidpointRounding.ToEven));
        }

        // Of n different scores those above the upper quartile, and one token more; with "plus" for each number of them the evenly spaced ones too.
        private static int MostOutliers(int visual, bool plus)
        {
            int above = Math.Max(1, Enumerable.Range(0, visual).Count(i => i > 0.75 * (visual - 1)));
            return Math.Min(visual, plus
                ? Enumerable.Range(1, above).Max(count => count + Enumerable.Range(0, visual - 1).Count(i => i % Math.Max(1, visual / count / 3) == 0) + 1)
                : above + 1);
        }

        public static int VisualTokensAt(Declared declared, int layer, int before)
        {
            if (declared.Policies.SingleOrDefault(policy => policy.Name == "FiCoCoL") is { } inside && layer > ((IntegerArgument)inside.Arguments[1]).Value)
            {
                before -= ((IntegerArgument)inside.Arguments[0]).Value;
            }

            foreach (PolicyDeclaration policy in declared.Policies)
            {
                int Number(string name) => ((IntegerArgument)policy.Arguments.Single(argument => argument.Name == name)).Value;
                double Real(string name) => ((RealArgument)policy.Arguments.Single(argument => argument.Name == name)).Value;
                int[] List(string name) => [.. ((LayersArgument)policy.Arguments.Single(argument => argument.Name == name)).Layers];
                bool Has(string name) => policy.Arguments.Any(argument => argument.Name == name);
                switch (policy.Name)
                {
                    case "PruneVisual" or "MergeVisual" or "RandomPrune" when Number("AfterLayer") + 1 == layer:
                        return Has("Keep") ? Number("Keep") : (int)Math.Round(before * Real("KeepRatio"), MidpointRounding.ToEven);
                    case "PyramidDrop" when layer > 0 && layer % (declared.Geometry.Text.Layers / Number("S")) == 0 && layer / (declared.Geometry.Text.Layers / Number("S")) < Number("S"):
                        return (int)(VisualTokensBeforeTheDecoder(declared) * Math.Pow(Real("Lambda"), layer / (declared.Geometry.Text.Layers / Number("S"))));
                    case "SparseVlm" or "SparseVlmPlus" when Has("Keep") && List("Layers").Contains(layer - 1):
                        int keep = List("Keep")[Array.IndexOf(List("Layers"), layer - 1)];
                        return policy.Name == "SparseVlmPlus" || Real("Tau") == 0 ? keep : keep + (Math.Min(before - keep, (int)((before - keep) * Real("Tau")) + 1) / 10) + 1;
                    case "FastV" when Number("K") == layer:
                        return (int)Math.Round(before * (1 - Real("R")), MidpointRounding.ToEven);
                    case "Dart" when Number("K") == layer:
                        return Math.Min(before, 2 + ((int)(before * (1 - Real("R")) / 5) * 5));
                    case "Aim" when layer > Number("L1") + 1:
                        return Math.Max(0, VisualTokensBeforeTheDecoder(declared) * (Number("L2") - layer + 1) / (Number("L2") - Number("L1"))) is var left && left < before ? left : before;
                    case "ExitVisual" when Number("AfterLayer") + 1 == layer:
                    case "Vtw" or "Victor" when Number("K") == layer:
                        return 0;
                }
            }

            return before;
        }

        public static bool IsFrozen(Declared declared, int layer) => declared.Policies.Any(policy => policy.Name is "FreezeVisual" or "ShortV" && policy.Arguments.Any(argument => argument switch
        {
            LayersArgument { IsNamed: false } list => list.Layers.Contains(layer),
            IntegerArgument { Name: "FirstLayer" } first => first.Value <= layer && layer <= policy.Arguments.OfType<IntegerArgument>().Single(other => other.Name == "LastLayer").Value,
            _ => false,
        }));
    }
}
