using Espalier.Planning;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>From policies to a plan: lowering, counts, segments, and the problems that stand in the way.</summary>
public sealed class PlannerTests
{
    [Fact]
    public void TheDefaultsOfFiCoCoLAreThoseOfItsAttributeAndItsMapsAreKindsOfLayers()
    {
        var attribute = new FiCoCoLAttribute();
        ReductionPlan plan = Plan(Llava, new PolicyDeclaration("FiCoCoL"));
        Assert.Equal((attribute.StartLayer, attribute.R, -1), (plan.Steps[0].AfterLayer, plan.Steps[0].TokensBefore - plan.Steps[0].TokensAfter, attribute.LastLayer));
        Assert.Equal(
            EquatableArray.Of(
                new KernelArgument("mode", 0, "FiCoCoMode." + attribute.Mode), new KernelArgument("redundancy", 0, "FiCoCoRedundancy." + attribute.Redundancy),
                new KernelArgument("beta", attribute.Beta), new KernelArgument("gamma", attribute.Gamma), new KernelArgument("epsilon", attribute.Epsilon)),
            plan.Steps[0].Kernel!.Arguments);
        Assert.Equal((LayerKind.Dense, LayerKind.Halved, LayerKind.LastRow), (plan.KindAt(4), plan.KindAt(5), plan.KindAt(31)));
        Assert.Equal(LayerKind.HalvedSoftmax, Plan(Llava, FiCoCoL(14, 5, "SoftmaxRows")).KindAt(5));
        Assert.Equal(LayerKind.HalvedSoftmax, Plan(Llava, FiCoCoL(14, 5, "SoftmaxColumns")).KindAt(5));
    }

    [Fact]
    public void NoPolicyIsOneDenseSegment()
    {
        ReductionPlan plan = Plan(Shapes);
        Assert.True(plan.IsDense);
        Assert.Equal(EquatableArray.Of(new Segment(0, 9, LayerMode.Dense, 144)), plan.Segments);
        Assert.Empty(plan.Steps);
        Assert.Equal(plan.DenseFlops(FlopsConvention.V, 31), plan.Flops(FlopsConvention.V, 31));
        Assert.Equal(plan.DenseKeyValueBytes(31), plan.KeyValueBytes(31));
    }

    [Fact]
    public void ChanceAndScorersMayComeBeforeTheFirstLayer()
    {
        ReductionPlan plan = Plan(Shapes, PruneByScorer(4, 0.5), RandomPrune(-1, 50, seed: -9));
        Assert.Equal(
            [
                new Step(-1, Score.Random, Compress.Drop, 144, 50, "RandomPrune(AfterLayer = -1, Keep = 50, Seed = -9)", Seed: -9),
                new Step(4, Score.Custom, Compress.Drop, 50, 25, "PruneVisual<Ascending>(AfterLayer = 4, KeepRatio = 0.5)", "global::Espalier.Ascending"),
            ],
            plan.Steps);
        Assert.Equal([(0, 4, 50), (5, 9, 25)], plan.Segments.Select(segment => (segment.FirstLayer, segment.LastLayer, segment.VisualTokens)));
        Assert.All(Enumerable.Range(0, 10), layer => Assert.Equal(layer == plan.Layers - 1 ? LayerKind.LastRow : LayerKind.Dense, plan.KindAt(layer)));
        Assert.StartsWith(
            """
            layers   visual   what happens
                              prune 144 -> 50 by chance, seed -9: RandomPrune(AfterLayer = -1, Keep = 50, Seed = -9)
               0-4       50   dense
                              prune 50 -> 25 by Ascending: PruneVisual<Ascending>(AfterLayer = 4, KeepRatio = 0.5)
               5-9       25   dense
            """.ReplaceLineEndings("\n"),
            plan.ToString(),
            StringComparison.Ordinal);
        Assert.Equal(1, Plan(Of(1, 4), RandomPrune(-1, 1, seed: 0)).VisualTokensAt(0));
    }

    [Fact]
    public void SharesAreOfWhatIsThere()
    {
        ReductionPlan plan = Plan(Shapes, PruneShare(6, 0.25), PruneShare(1, 0.75));
        Assert.Equal([108, 27], plan.Steps.Select(step => step.TokensAfter));
        Assert.Equal([1, 6], plan.Steps.Select(step => step.AfterLayer));
    }

    [Fact]
    public void AllTogether()
    {
        ReductionPlan plan = Plan(Shapes, Vtw(9), ShortV(5, 6, 7), FastV(2, 0.5));
        Assert.Equal(
            [(0, 1, LayerMode.Dense, 144), (2, 4, LayerMode.Dense, 72), (5, 7, LayerMode.Frozen, 72), (8, 8, LayerMode.Dense, 72), (9, 9, LayerMode.Dense, 0)],
            plan.Segments.Select(segment => (segment.FirstLayer, segment.LastLayer, segment.Mode, segment.VisualTokens)));
        Assert.Equal(EquatableArray.Of(new CacheRun(0, 1, 144), new CacheRun(2, 8, 72), new CacheRun(9, 9, 0)), plan.DecodeRuns());
        Assert.Equal(
            EquatableArray.Of(
                new LayerRun(0, 0, LayerKind.Dense, 144),
                new LayerRun(1, 1, LayerKind.Scored, 144),
                new LayerRun(2, 4, LayerKind.Dense, 72),
                new LayerRun(5, 7, LayerKind.Frozen, 72),
                new LayerRun(8, 8, LayerKind.Dense, 72),
                new LayerRun(9, 9, LayerKind.LastRow, 0)),
            plan.PrefillRuns());
        Assert.Equal(20 + 144, plan.RowsAt(0, 20));
        Assert.Equal(20, plan.RowsAt(6, 20));
        Assert.Equal(20, plan.RowsAt(9, 20));
        Assert.Equal(576, plan.VisualRowsComputed);
        Assert.Equal(216, plan.VisualRowsFrozen);
    }

    [Fact]
    public void AFrozenLayerBeforeAPruneIsScoredToo() => Assert.Equal(LayerKind.FrozenScored, Plan(Shapes, Freeze(4, 5), Prune(5, 10)).KindAt(5));

    [Fact]
    public void UnknownPoliciesAreRejectedByName()
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => Planner.Plan(Shapes, [new PolicyDeclaration("Magic")]));
        Assert.Contains("'Magic'", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("FastV", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ProblemsPointAtThePolicyTheArgumentAndTheItem()
    {
        PlanResult result = Planner.Plan(Shapes, [Freeze(3), ShortV(4, 31), Vtw(20)]);
        Assert.Null(result.Plan);
        Assert.Equal([(1, "layers", 1, 9), (2, "K", -1, 9)], result.Problems.Select(problem => (problem.Policy, problem.Argument!, problem.Element, problem.Suggestion!.Value)));
        Assert.Equal("ESP0101: 'ShortV(4, 31)' names layer 31, but the model has decoder layers 0 to 9", result.Problems[0].ToString());
    }

    [Fact]
    public void AnUnorderedListIsMentionedButPlanned()
    {
        PlanResult result = Planner.Plan(Shapes, [Freeze(6, 5, 5)]);
        Assert.Equal(PlanProblemKind.LayersNotAscending, result.Problems.Single().Kind);
        Assert.Equal(Plan(Shapes, Freeze(5, 6)), result.Plan);
    }

    [Fact]
    public void AModelOfOneLayerHasNoBoundary()
    {
        Assert.All(
            Planner.Plan(Of(1, 4), [FastV(0, 0.5), Exit(-1), Exit(1), Prune(0, 2)]).Problems,
            problem => Assert.Null(problem.Suggestion));
        Assert.Equal(LayerMode.Frozen, Plan(Of(1, 4), Freeze(0)).Segments.Single().Mode);
    }
}
