using Espalier.Planning;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>Reductions inside the vision tower: what they lower to, which layers run for them, what they cost.</summary>
public sealed class TowerPlanTests
{
    [Fact]
    public void ReductionsInsideTheTowerShrinkItLayerByLayer()
    {
        ReductionPlan plan = Plan(Llava, new PolicyDeclaration("FiCoCoV"));
        Assert.Equal(114, plan.DecoderVisualTokens);
        Assert.Equal(114, plan.ImagePositions);
        Assert.Equal(EquatableArray.Of(new TowerRun(0, 11, 576, null), new TowerRun(12, 22, 576, plan.Steps[0])), plan.TowerRuns());
        foreach ((int r, int left) in ((int, int)[])[(35, 191), (41, 125), (42, 114), (47, 59)])
        {
            Assert.Equal(left, Plan(Llava, FiCoCoV(r, 12)).DecoderVisualTokens);
        }

        ReductionPlan toMe = Plan(Llava, ToMe(22, 0));
        Assert.Equal(576 - (23 * 22), toMe.DecoderVisualTokens);
        Assert.Equal([5, 7, 10, 12, 15], Plan(Shapes, ToMe(10, 0.5)).Steps[0].Tower!.Leaving);
        Assert.Equal([72, 36, 18, 9, 4], Plan(Shapes, ToMe(1000, 0)).Steps[0].Tower!.Leaving);
        Assert.Equal(EquatableArray.Of(new TowerRun(0, 2, 144, null), new TowerRun(3, 4, 144, Plan(Shapes, FiCoCoV(20, -1)).Steps[0])), Plan(Shapes, FiCoCoV(20, -1)).TowerRuns());
        Assert.Equal(EquatableArray.Of(new TowerRun(0, 4, 144, null)), Plan(Shapes).TowerRuns());
    }

    [Fact]
    public void AStepThatLooksAheadReducesBeforeItsLayersAndPaysForWhatRunsTwice()
    {
        // The authors' twelve layers: 2, 6 and 2 run ahead of layers 2, 4 and 10.
        ModelGeometry twelve = Shapes with { Vision = Shapes.Vision with { Layers = 13, FeatureLayers = 12 } };
        ReductionPlan plan = Plan(twelve, new PolicyDeclaration("Elip"));
        Step step = plan.Steps[0];
        Assert.Equal([14, 0, 36, 0, 0, 0, 0, 0, 36, 0], step.Tower!.Leaving);
        Assert.Equal([2, 0, 6, 0, 0, 0, 0, 0, 2, 0], step.Tower.Ahead);
        Assert.Equal(58, plan.DecoderVisualTokens);
        Assert.Equal(EquatableArray.Of(new TowerRun(0, 1, 144, null), new TowerRun(2, 3, 144, step), new TowerRun(4, 9, 130, step), new TowerRun(10, 11, 94, step)), plan.TowerRuns());

        // 4nd² + 2n²d + 2ndm a layer; of the last that runs ahead only queries and keys, 2nd².
        static double Layer(double n) => (4 * n * 128 * 128) + (2 * n * n * 128) + (2 * n * 128 * 512);
        static double Keys(double n) => 2 * n * 128 * 128;
        double expected = (2 * Layer(145)) + Layer(145) + Keys(145) + (2 * Layer(131)) + (5 * Layer(131)) + Keys(131) + (6 * Layer(95)) + Layer(95) + Keys(95) + (2 * Layer(59));
        Assert.Equal(expected, plan.TowerFlops(FlopsConvention.A), 1);
        Assert.Equal(2 * expected, plan.TowerFlops(FlopsConvention.C), 1);

        Assert.Equal([1, 0, 1, 0, 0, 0, 0, 0, 1, 0], Plan(twelve, new PolicyDeclaration("Elip", new IntegerArgument("LookAhead", 1))).Steps[0].Tower!.Ahead);
        var attribute = new ElipAttribute();
        Assert.Equal((0, 0), (attribute.Layers.Length, attribute.LookAhead));
        Assert.Equal(step.Tower, Plan(twelve, Elip([2, 4, 10], attribute.Ratios)).Steps[0].Tower);
        Segment[] segments = [.. plan.Segments];
        Assert.Throws<ArgumentException>(() => new ReductionPlan(twelve, segments, [step with { Tower = step.Tower with { Ahead = EquatableArray.Of(2) } }]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(twelve, segments, [step with { Tower = step.Tower with { Ahead = EquatableArray.Of(2, 0, 6, 0, 0, 0, 0, 0, 3, 0) } }]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(twelve, segments, [step with { Tower = step.Tower with { Ahead = EquatableArray.Of(2, 1, 6, 0, 0, 0, 0, 0, 2, 0) } }]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(twelve, segments, [step with { Tower = step.Tower with { Reads = TowerReads.Keys } }]));
    }

    [Fact]
    public void MergedLayersOfTheTowerGiveAllTokensBack()
    {
        ReductionPlan plan = Plan(Shapes, PruneAndMerge(72, 1, 2, 4));
        Assert.Equal((144, 0, true, false), (plan.DecoderVisualTokens, plan.Steps.Count, plan.ReducesTower, plan.IsDense));
        Assert.Equal(EquatableArray.Of(new TowerRun(0, 0, 144, null), new TowerRun(1, 2, 144, null, 72), new TowerRun(3, 3, 144, null), new TowerRun(4, 4, 144, null, 72)), plan.TowerRuns());

        // Two whole layers; three on 72 rows and the CLS row, each with two products of 72 x 144 x 128.
        static double Layer(double n) => (4 * n * 128 * 128) + (2 * n * n * 128) + (2 * n * 128 * 512);
        double expected = (2 * Layer(145)) + (3 * (Layer(73) + (2.0 * 72 * 144 * 128)));
        Assert.Equal(expected, plan.TowerFlops(FlopsConvention.B), 1);
        Assert.Equal(2 * expected, plan.TowerFlops(FlopsConvention.C), 1);
        Assert.Equal(Plan(Shapes).Flops(FlopsConvention.C, 64), plan.Flops(FlopsConvention.C, 64));
        Assert.NotEqual(Plan(Shapes), plan);
        Assert.NotEqual(Plan(Shapes, PruneAndMerge(71, 1, 2, 4)), plan);

        ReductionPlan both = Plan(Shapes, PruneAndMerge(72, 1), FiCoCoV(10, 3));
        Assert.Equal([(0, 0, 0), (1, 1, 72), (2, 2, 0), (3, 4, 0)], both.TowerRuns().Select(run => (run.FirstLayer, run.LastLayer, run.MergedInto)));
        Assert.Equal([PlanProblemKind.TowerReducedTwice], Planner.Plan(Shapes, [PruneAndMerge(72, 1), PruneAndMerge(70, 2)]).Problems.Select(problem => problem.Kind));

        ReductionPlan Of(MergedTower merged, params Step[] steps) => new(Shapes, steps.Length == 0 ? Plan(Shapes).Segments : both.Segments, steps, mergedTower: merged);
        MergedTower fine = plan.MergedTower!;
        Assert.Equal(plan, Of(fine));
        Assert.Throws<ArgumentException>(() => Of(fine with { Rows = 0 }));
        Assert.Throws<ArgumentException>(() => Of(fine with { Rows = 144 }));
        Assert.Throws<ArgumentException>(() => Of(fine with { Layers = default }));
        Assert.Throws<ArgumentException>(() => Of(fine with { Layers = EquatableArray.Of(1, 5) }));
        Assert.Throws<ArgumentException>(() => Of(fine with { Layers = EquatableArray.Of(2, 1) }));
        Assert.Throws<ArgumentException>(() => Of(fine, [.. both.Steps]));
    }

    [Fact]
    public void TheTowerIsPricedLayerByLayer()
    {
        // 4nd² + 2n²d + 2n'dm, with fewer rows in the feed-forward layer of a layer that reduces.
        static double Layer(double n, double left) => (4 * n * 128 * 128) + (2 * n * n * 128) + (2 * left * 128 * 512);
        ReductionPlan plan = Plan(Shapes, FiCoCoV(20, 3));
        double expected = (3 * Layer(145, 145)) + Layer(145, 125) + Layer(125, 105);
        Assert.Equal(expected, plan.TowerFlops(FlopsConvention.A), 1);
        Assert.Equal(expected, plan.TowerFlops(FlopsConvention.B), 1);
        Assert.Equal(2 * expected, plan.TowerFlops(FlopsConvention.C), 1);
        Assert.Equal(5 * Layer(145, 145), plan.DenseTowerFlops(FlopsConvention.A), 1);
        Assert.Equal(plan.DenseTowerFlops(FlopsConvention.V), Plan(Shapes).TowerFlops(FlopsConvention.V), 1);

        // Softmax, two norms, two residuals and the activation of one layer.
        Assert.Equal(
            5 * ((5 * 4.0 * 145 * 145) + (18 * 128.0 * 145)), plan.DenseTowerFlops(FlopsConvention.V) - plan.DenseTowerFlops(FlopsConvention.C), 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => CostModel.TowerLayerFlops(Shapes.Vision, FlopsConvention.C, -1, 0));
        Assert.Equal(plan.Flops(FlopsConvention.C, 64), Plan(Shapes, DivPrune(104)).Flops(FlopsConvention.C, 64));
        Assert.Contains("Vision tower: ", plan.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Vision tower: ", Plan(Shapes, DivPrune(104)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void TheDefaultsOfTheTowerMethodsAreThoseOfTheirAttributes()
    {
        var attribute = new FiCoCoVAttribute();
        TowerReduction tower = Plan(Llava, new PolicyDeclaration("FiCoCoV")).Steps[0].Tower!;
        Assert.Equal((attribute.R, -1, 12), (tower.Leaving[0], attribute.StartLayer, tower.FirstLayer));
        EquatableArray<KernelArgument> Arguments(params PolicyArgument[] arguments) => Plan(Llava, new PolicyDeclaration("FiCoCoV", arguments)).Steps[0].Kernel!.Arguments;
        Assert.Equal(
            EquatableArray.Of(
                new KernelArgument("grid", 24), new KernelArgument("mode", 0, "FiCoCoMode." + attribute.Mode), new KernelArgument("redundancy", 0, "FiCoCoRedundancy." + attribute.Redundancy),
                new KernelArgument("lambda", 0.35), new KernelArgument("epsilon", attribute.Epsilon), new KernelArgument("window", attribute.Window), new KernelArgument("coefficient", attribute.Coefficient)),
            Arguments());
        Assert.Equal(0.65, Arguments(new ChoiceArgument("Mode", "Code"))[3].Value);
        Assert.Equal(0.2, Arguments(new ChoiceArgument("Mode", "Code"), new RealArgument("Lambda", 0.2))[3].Value);
        Assert.False(tower.IsProportional);
        Assert.True(new ToMeAttribute().ProportionalAttention && Plan(Llava, ToMe(5, new ToMeAttribute().Inflection)).Steps[0].Tower!.IsProportional);
        Assert.Equal(TowerReads.Probabilities, Plan(Llava, new PolicyDeclaration("FiCoCoV", new ChoiceArgument("Redundancy", "SoftmaxRows"))).Steps[0].Tower!.Reads);
    }

    [Fact]
    public void TowerStepsThatDoNotFitAreRejected()
    {
        Step step = Plan(Shapes, FiCoCoV(20, 3)).Steps[0];
        Segment[] segments = [new(0, 9, LayerMode.Dense, 104)];
        _ = new ReductionPlan(Shapes, segments, [step]);
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, segments, [step with { Tower = null }]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, segments, [step with { Site = Site.VisionOutput }]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, segments, [step with { Tower = step.Tower! with { FirstLayer = 4 } }]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, segments, [step with { Tower = step.Tower! with { Leaving = EquatableArray.Of(20, 21) } }]));
        Step earlier = step with { TokensAfter = 124, Tower = step.Tower! with { FirstLayer = 1, Leaving = EquatableArray.Of(20) } };
        _ = new ReductionPlan(Shapes, [new(0, 9, LayerMode.Dense, 84)], [earlier, step with { TokensBefore = 124, TokensAfter = 84 }]);
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [new(0, 9, LayerMode.Dense, 84)], [earlier with { Tower = earlier.Tower! with { FirstLayer = 3 } }, step with { TokensBefore = 124, TokensAfter = 84 }]));
    }
}
