using System.Globalization;
using Espalier.Emission;
using Espalier.Parsing;
using Espalier.Planning;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.FSharp.Core;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>What holds for every model and every set of policies.</summary>
/// <remarks>The cases are drawn from a fixed seed, so that a run says the same twice; ESPALIER_SEED draws others.</remarks>
public sealed class PlannerProperties
{
    private const int Cases = 2000;

    private static readonly ulong Seed = ulong.Parse(Environment.GetEnvironmentVariable("ESPALIER_SEED") ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public void ThePlanIsWhatEachLayerWouldSayAlone() => Check(Cases, declared =>
    {
        ReductionPlan? plan = Planner.Plan(declared.Geometry, declared.Policies).Plan;
        if (plan is null)
        {
            return;
        }

        // A twin that knows neither segments nor order: each layer asks every primitive what it does to it.
        int visual = PlannerTwin.VisualTokensBeforeTheDecoder(declared);
        for (int layer = 0; layer < plan.Layers; layer++)
        {
            visual = PlannerTwin.VisualTokensAt(declared, layer, visual);
            Assert.Equal(visual, plan.VisualTokensAt(layer));
            Assert.Equal(layer == plan.Layers - 1 || PlannerTwin.IsFrozen(declared, layer), plan.KindAt(layer).IsFrozen());
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
            try
            {
                Assert.Equal(ExpectedCalls.Of(accepted[i]), Loading.Record(model));
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"The plan does not run as planned:{Environment.NewLine}{accepted[i]}", exception);
            }
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
        Prop.ForAll(Declared.Any.ToArbitrary(), property).Check(Config.QuickThrowOnFailure.WithMaxTest(cases).WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(Seed), null))).WithQuietOnSuccess(true));
}
