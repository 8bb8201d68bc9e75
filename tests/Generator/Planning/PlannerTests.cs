using Espalier.Planning;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>Lowering, counts, segments and the public face of a plan.</summary>
public sealed class PlannerTests
{
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
    public void FastVPrunesBeforeLayerKByTheAttentionOfTheLayerBefore()
    {
        ReductionPlan plan = Plan(Shapes, FastV(2, 0.5));
        Assert.Equal(new Step(1, Score.LastQueryAttention, Compress.Drop, 144, 72, "FastV(K = 2, R = 0.5)"), plan.Steps.Single());
        Assert.Equal(LayerKind.Dense, plan.KindAt(0));
        Assert.Equal(LayerKind.Scored, plan.KindAt(1));
        Assert.Equal(LayerKind.Dense, plan.KindAt(2));
        Assert.Equal(144, plan.VisualTokensAt(1));
        Assert.Equal(72, plan.VisualTokensAt(2));
        Assert.False(plan.IsDense);
    }

    [Fact]
    public void FastVMayRankByAllTextRows()
    {
        ReductionPlan plan = Plan(Shapes, FastVMean(2, 0.5), Freeze(4), new PolicyDeclaration(
            "PruneVisual", new IntegerArgument("AfterLayer", 4), new IntegerArgument("Keep", 9), new ChoiceArgument("Score", "TextAttention")));
        Assert.All(plan.Steps, step => Assert.Equal(Score.TextAttention, step.Score));
        Assert.Equal((LayerKind.TextScored, LayerKind.FrozenTextScored), (plan.KindAt(1), plan.KindAt(4)));
        Assert.Equal(Plan(Shapes, FastV(2, 0.5)).Segments, Plan(Shapes, FastVMean(2, 0.5)).Segments);
        Assert.Contains("prune 144 -> 72 by text attention: FastV(K = 2, R = 0.5, Rows = Mean)", plan.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LayerKind.Dense, false, false, false)]
    [InlineData(LayerKind.Scored, false, true, false)]
    [InlineData(LayerKind.Frozen, true, false, false)]
    [InlineData(LayerKind.FrozenScored, true, true, false)]
    [InlineData(LayerKind.TextScored, false, true, true)]
    [InlineData(LayerKind.FrozenTextScored, true, true, true)]
    [InlineData(LayerKind.RaterScored, false, true, false)]
    [InlineData(LayerKind.FrozenRaterScored, true, true, false)]
    [InlineData(LayerKind.LastRow, true, false, false)]
    [InlineData(LayerKind.Partial, false, false, false)]
    [InlineData(LayerKind.PartialScored, false, true, false)]
    [InlineData(LayerKind.PartialTextScored, false, true, true)]
    public void KindsSayWhatTheyDo(LayerKind kind, bool frozen, bool scored, bool textScored) =>
        Assert.Equal((frozen, scored, textScored), (kind.IsFrozen(), kind.IsScored(), kind.IsTextScored()));

    [Theory]
    [InlineData(192, new[] { 309, 204, 113 }, new[] { 300, 200, 118 })]
    [InlineData(128, new[] { 312, 117, 39 }, new[] { 238, 108, 60 })]
    [InlineData(96, new[] { 249, 55, 27 }, new[] { 246, 54, 28 })]
    [InlineData(64, new[] { 82, 32, 18 }, new[] { 66, 34, 20 })]
    public void SparseVlmTakesThePublishedTables(int tokens, int[] recycled, int[] plus)
    {
        ReductionPlan plan = Plan(Llava, new PolicyDeclaration("SparseVlm", new IntegerArgument("Tokens", tokens)));
        Assert.Equal([2, 6, 15], plan.Steps.Select(step => step.AfterLayer));
        Assert.Equal(recycled, plan.Steps.Select(step => step.TokensAfter));
        Assert.All(plan.Steps, step => Assert.Equal((Score.RaterAttention, Compress.Recycle, Positions.Renumber, LayerKind.RaterScored), (step.Score, step.Compress, step.Positions, plan.KindAt(step.AfterLayer))));

        plan = Plan(Llava, new PolicyDeclaration("SparseVlmPlus", new IntegerArgument("Tokens", tokens)));
        Assert.Equal([2, 6, 15], plan.Steps.Select(step => step.AfterLayer));
        Assert.Equal(plus, plan.Steps.Select(step => step.TokensAfter));
        Assert.All(plan.Steps, step => Assert.Equal((Score.CorrectedRaterAttention, Compress.Drop, Positions.Keep, LayerKind.RaterScored), (step.Score, step.Compress, step.Positions, plan.KindAt(step.AfterLayer))));
    }

    [Fact]
    public void SparseVlmsAverageCountsThreeLayersAtAllTokens()
    {
        // Without what is recycled: 202.8, 140.8, 110.2 and 79.2 tokens a layer, where the tables are named 192, 128, 96 and 64.
        Assert.Equal([202.8, 140.8, 110.2, 79.2], ((int[])[192, 128, 96, 64]).Select(tokens =>
            Math.Round(Plan(Llava, new PolicyDeclaration("SparseVlm", new IntegerArgument("Tokens", tokens), new RealArgument("Tau", 0))).VisualRowsComputed / 32.0, 1, MidpointRounding.ToEven)));
    }

    [Fact]
    public void SparseVlmByRankKnowsAnUpperBoundAndWhatIsTypical()
    {
        ReductionPlan plan = Plan(Llava, new PolicyDeclaration("SparseVlm", new RealArgument("Scale", 13.5)));
        Assert.Equal([2, 6, 15, 19], plan.Steps.Select(step => step.AfterLayer));
        Assert.All(plan.Steps, step => Assert.Equal((576, CountRule.Found), (step.TokensAfter, step.Count!.Rule)));

        // A rank of 12: 162 tokens stay, and of the other 414 are 125 recycled into 13.
        Assert.Equal([175, 163, 163, 163], plan.Steps.Select(step => step.TypicalTokensAfter));
        plan = Plan(Llava, new PolicyDeclaration("SparseVlm", new RealArgument("Lambda", 0.5), new RealArgument("Tau", 0)));
        Assert.Equal([(2, 294), (6, 153), (15, 83)], plan.Steps.Select(step => (step.AfterLayer, step.TypicalTokensAfter)));
    }

    [Fact]
    public void PyramidDropPrunesBetweenStagesAndRenumbers()
    {
        ReductionPlan plan = Plan(Llava, PyramidDrop(0.5, 4));
        Assert.Equal(
            [(7, 576, 288), (15, 288, 144), (23, 144, 72)],
            plan.Steps.Select(step => (step.AfterLayer, step.TokensBefore, step.TokensAfter)));
        Assert.All(plan.Steps, step => Assert.Equal((Score.NextLayerAttention, Positions.Renumber), (step.Score, step.Positions)));
        Assert.Equal([0, 288, 288, 432, 504], new[] { 7, 8, 15, 16, 31 }.Select(plan.PositionShiftAt));
        Assert.Equal([8, 16, 24], Enumerable.Range(0, 32).Where(plan.IsScoredAhead));
        Assert.All(Enumerable.Range(0, 32), layer => Assert.Equal(layer == plan.Layers - 1 ? LayerKind.LastRow : LayerKind.Dense, plan.KindAt(layer)));

        // The remainder of L / S is the last stage's; counts are of the first, int(144 * 0.6^s).
        Assert.Equal([(1, 86), (3, 51), (5, 31)], Plan(Shapes, PyramidDrop(0.6, 4)).Steps.Select(step => (step.AfterLayer, step.TokensAfter)));
    }

    [Fact]
    public void PyramidDropCountsWhatEntersTheDecoder()
    {
        // 144 to 100 before the decoder, 90 before its first boundary: the stages are shares of 100.
        ReductionPlan plan = Plan(Shapes, DivPrune(100), Prune(0, 90), PyramidDrop(0.5, 4));
        Assert.Equal([100, 90, 50, 25, 12], plan.Steps.Select(step => step.TokensAfter));
        Assert.Equal([0, 50, 75, 88], new[] { 1, 2, 4, 9 }.Select(plan.PositionShiftAt));
    }

    [Fact]
    public void OnlyARenumberingStepMovesPositions()
    {
        ReductionPlan plan = Plan(Shapes, Prune(0, 100), PyramidDrop(0.5, 4), Exit(8));
        Assert.Equal([0, 0, 72, 72, 108, 108, 126, 126, 126, 126], Enumerable.Range(0, 10).Select(plan.PositionShiftAt));
        Assert.All(Enumerable.Range(0, 10), layer => Assert.Equal(0, Plan(Shapes, Prune(0, 100), Exit(5)).PositionShiftAt(layer)));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.PositionShiftAt(10));
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

    [Theory]
    [InlineData(576, 0.5, 288)]
    [InlineData(576, 0.75, 144)]
    [InlineData(576, 0.9, 58)]
    [InlineData(9, 0.5, 4)] // 4.5 to even
    [InlineData(25, 0.5, 12)] // 12.5 to even
    [InlineData(49, 0.5, 24)] // 24.5 to even
    [InlineData(121, 0.5, 60)] // 60.5 to even
    public void FastVRoundsHalvesToEven(int tokens, double r, int kept) => Assert.Equal(kept, Plan(Of(4, tokens), FastV(2, r)).VisualTokensAt(2));

    [Fact]
    public void DefaultsAreThoseOfTheAttributes()
    {
        var fastV = new FastVAttribute();
        Assert.Equal(Plan(Llava, FastV(fastV.K, fastV.R)).Segments, Plan(Llava, new PolicyDeclaration("FastV")).Segments);
        Assert.Equal(Plan(Llava, Vtw(new VtwAttribute().K)).Segments, Plan(Llava, new PolicyDeclaration("Vtw")).Segments);
        var pyramid = new PyramidDropAttribute();
        Assert.Equal(Plan(Llava, PyramidDrop(pyramid.Lambda, pyramid.S)).Segments, Plan(Llava, new PolicyDeclaration("PyramidDrop")).Segments);
        Assert.Equal("Last", fastV.Rows.ToString());
        Assert.Equal(nameof(Score.LastQueryAttention), new PruneVisualAttribute().Score.ToString());
    }

    [Fact]
    public void PresetsLowerToPrimitives()
    {
        Assert.Equal(Plan(Shapes, Prune(1, 72)).Segments, Plan(Shapes, FastV(2, 0.5)).Segments);
        Assert.Equal(Plan(Shapes, Freeze(3, 8, 9)), Plan(Shapes, ShortV(9, 3, 8)));
        Assert.Equal(Plan(Shapes, Exit(7)).Segments, Plan(Shapes, Vtw(8)).Segments);
        Assert.Equal(Plan(Shapes, Freeze(5, 6, 7)), Plan(Shapes, FreezeRange(5, 7)));
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
    public void CacheBytesFollowTheRowsOfEachLayer()
    {
        // 3 key and value heads of 32, keys and values, 4 bytes: 768 bytes a row.
        ReductionPlan plan = Plan(Shapes, Prune(1, 44), Exit(5));
        Assert.Equal(768L * ((2 * (20 + 144)) + (4 * (20 + 44)) + (4 * 20)), plan.KeyValueBytes(20));
        Assert.Equal(plan.KeyValueBytes(20) / 2, plan.KeyValueBytes(20, bytesPerValue: 2));
    }

    [Fact]
    public void TheTableIsThePlan() => Assert.Equal(
        """
        layers   visual   what happens
           0-1      144   dense
                          prune 144 -> 72 by last-query attention: FastV(K = 2, R = 0.5)
           2-4       72   dense
           5-7       72   frozen: read by attention, not updated
             8       72   dense
                          exit 72 -> 0: ExitVisual(AfterLayer = 8)
             9        0   text only

        Visual rows computed: 576 of 1,440 (40.0 %); 216 more are read while frozen.
        Prefill with 64 text tokens: 1.149 of 2.019 GFLOPs (56.9 %, convention C); KV cache in fp32: 1.0 of 1.5 MiB (68.8 %).

        """.ReplaceLineEndings("\n"),
        Plan(Shapes, FastV(2, 0.5), ShortV(5, 6, 7), Exit(8)).ToString());

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

    [Fact]
    public void ReductionsBeforeTheDecoderShrinkWhatItStartsWith()
    {
        ReductionPlan plan = Plan(Shapes, DivPrune(20), FastV(2, 0.5), VisionZip(54, 10));
        Assert.Equal(
            EquatableArray.Of(
                new Step(-1, Score.ClsAttention, Compress.MergeIntoTargets, 144, 64, "VisionZip(Dominant = 54, Contextual = 10)", null, 0, Positions.Renumber, Site.VisionOutput,
                    new TowerScores(4, 4), new Kernel("VisionZip", 0, EquatableArray.Of(new KernelArgument("contextual", 10)))),
                new Step(-1, Score.Diversity, Compress.Drop, 64, 20, "DivPrune(Keep = 20)", null, 0, Positions.Renumber, Site.Projected, null, new Kernel("DivPrune", 128, default)),
                new Step(1, Score.LastQueryAttention, Compress.Drop, 20, 10, "FastV(K = 2, R = 0.5)")),
            plan.Steps);
        Assert.Equal(144, plan.Geometry.VisualTokens);
        Assert.Equal(20, plan.DecoderVisualTokens);
        Assert.Equal(20, plan.ImagePositions);
        Assert.Equal([(0, 1, 20), (2, 9, 10)], plan.Segments.Select(segment => (segment.FirstLayer, segment.LastLayer, segment.VisualTokens)));
        Assert.Equal(EquatableArray.Of(new LayerRun(0, 0, LayerKind.Dense, 20), new LayerRun(1, 1, LayerKind.Scored, 20), new LayerRun(2, 8, LayerKind.Dense, 10), new LayerRun(9, 9, LayerKind.LastRow, 10)), plan.PrefillRuns());
        Assert.Equal(
            (2 * CostModel.LayerFlops(Shapes.Text, FlopsConvention.A, LayerMode.Dense, 30, 20)) + (8 * CostModel.LayerFlops(Shapes.Text, FlopsConvention.A, LayerMode.Dense, 30, 10)),
            plan.Flops(FlopsConvention.A, 30));
    }

    [Fact]
    public void StepsBeforeTheDecoderStandInTheOrderOfTheirSites()
    {
        Segment[] segments = [new(0, 9, LayerMode.Dense, 20)];
        Step output = new(-1, Score.ClsAttention, Compress.Drop, 144, 60, "VtcCls", Site: Site.VisionOutput);
        Step projected = new(-1, Score.Diversity, Compress.Drop, 60, 20, "DivPrune", Site: Site.Projected);
        _ = new ReductionPlan(Shapes, segments, [output, projected]);
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, segments, [output with { Site = Site.Projected }, projected with { Site = Site.VisionOutput }]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, segments, [output, projected with { Site = Site.VisionOutput }]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, segments, [output with { Site = Site.DecoderBoundary }, projected]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, segments, [output with { AfterLayer = -2 }, projected]));
        _ = new ReductionPlan(Shapes, segments, [output, projected with { Site = Site.DecoderBoundary }]);
    }

    [Fact]
    public void TokensThatKeepTheirPositionsTakeAsManyAsBefore()
    {
        Assert.Equal(144, Plan(Shapes, GPrune(0.5, 5)).ImagePositions);
        Assert.Equal(72, Plan(Shapes, GPrune(0.5, 5)).DecoderVisualTokens);
        Assert.Equal(100, Plan(Shapes, VtcCls(100, 2), GPrune(0.5, 5)).ImagePositions);
    }

    [Theory]
    [InlineData(576, 0.098, 56)] // the authors' setting
    [InlineData(25, 0.5, 12)]
    [InlineData(49, 0.5, 24)]
    [InlineData(25, 0.3, 8)] // 7.5 to even
    public void DivPruneRoundsHalvesToEven(int tokens, double ratio, int kept) => Assert.Equal(kept, Plan(Of(4, tokens), DivPruneShare(ratio)).DecoderVisualTokens);

    [Theory]
    [InlineData(576, 0.5, 288)]
    [InlineData(25, 0.3, 7)]
    [InlineData(25, 0.99, 24)]
    public void GPruneRoundsDown(int tokens, double ratio, int kept) => Assert.Equal(kept, Plan(Of(4, tokens), GPrune(ratio, 5)).DecoderVisualTokens);

    [Fact]
    public void TheLastLayerOfTheTowerNeverCounts()
    {
        // Features of layer -2: all layers that run are summed. Features of the last layer: it runs, and is left out.
        Assert.Equal(new TowerScores(16, 22), Plan(Llava, VtcCls(64, 16)).Steps.Single().TowerScores);
        ModelGeometry last = Shapes with { Vision = Shapes.Vision with { FeatureLayers = Shapes.Vision.Layers } };
        Assert.Equal(new TowerScores(2, 4), Plan(last, VtcCls(64, 2)).Steps.Single().TowerScores);
        Assert.Equal(new TowerScores(5, 5), Plan(last, VisionZip(50, 4)).Steps.Single().TowerScores);
    }

    [Fact]
    public void TheDefaultsOfTheVisionSideAreThoseOfTheAttributes()
    {
        var visionZip = new VisionZipAttribute();
        Assert.Equal(Plan(Llava, VisionZip(visionZip.Dominant, visionZip.Contextual)).Segments, Plan(Llava, new PolicyDeclaration("VisionZip")).Segments);
        Assert.Equal(Plan(Llava, VtcCls(64, new VtcClsAttribute().Layer)).Steps[0].TowerScores, Plan(Llava, new PolicyDeclaration("VtcCls", new IntegerArgument("Keep", 64))).Steps[0].TowerScores);
        Assert.Equal(Plan(Llava, DivPruneShare(new DivPruneAttribute().Ratio)).Segments, Plan(Llava, new PolicyDeclaration("DivPrune")).Segments);
        var gPrune = new GPruneAttribute();
        Assert.Equal(
            Plan(Llava, new PolicyDeclaration("GPrune", new RealArgument("KeepRatio", gPrune.KeepRatio), new RealArgument("Threshold", gPrune.Threshold), new RealArgument("Temperature", gPrune.Temperature), new IntegerArgument("Iterations", gPrune.Iterations))).Steps[0].Kernel,
            Plan(Llava, new PolicyDeclaration("GPrune")).Steps[0].Kernel);
    }

    [Fact]
    public void TheTableShowsTheVisionSideAboveTheLayers() => Assert.StartsWith(
        """
        layers   visual   what happens
                          merge 144 -> 64 at the output of the vision tower by CLS attention and similar keys: VisionZip(Dominant = 54, Contextual = 10)
                          prune 64 -> 20 behind the projector by diversity: DivPrune(Keep = 20)
           0-9       20   dense
        """.ReplaceLineEndings("\n"),
        Plan(Shapes, VisionZip(54, 10), DivPrune(20)).ToString(),
        StringComparison.Ordinal);

    [Fact]
    public void EqualPartsMakeEqualPlans()
    {
        ReductionPlan one = Plan(Shapes, FastV(2, 0.5), Freeze(5));
        ReductionPlan two = new(one.Geometry with { }, [.. one.Segments], [.. one.Steps]);
        Assert.Equal(one, two);
        Assert.Equal(one.GetHashCode(), two.GetHashCode());
        Assert.NotEqual(one, Plan(Shapes, FastV(2, 0.5), Freeze(6)));
        Assert.NotEqual(one, Plan(Of(11, 144), FastV(2, 0.5), Freeze(5)));
        Assert.False(one.Equals(null));
    }

    [Fact]
    public void PartsThatDoNotFitAreRejected()
    {
        Segment dense = new(0, 9, LayerMode.Dense, 144);
        Step exit = new(4, Score.None, Compress.Drop, 144, 0, "ExitVisual(AfterLayer = 4)");
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { LastLayer = 8 }], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { LastLayer = 10 }], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { VisualTokens = 143 }], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense], [exit]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { LastLayer = 4 }, new(5, 9, LayerMode.Dense, 0)], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { LastLayer = 4 }, new(5, 9, LayerMode.Dense, 200)], [exit with { TokensAfter = 200 }]));
        Assert.Throws<ArgumentNullException>(() => new ReductionPlan(null!, [dense], []));
        _ = new ReductionPlan(Shapes, [dense with { LastLayer = 4 }, new(5, 9, LayerMode.Dense, 0)], [exit]);
    }

    [Fact]
    public void LayersOutsideOfTheModelAreRejected()
    {
        ReductionPlan plan = Plan(Shapes);
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.VisualTokensAt(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.KindAt(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.RowsAt(10, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.Flops(FlopsConvention.A, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.KeyValueBytes(1, -4));
    }

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
