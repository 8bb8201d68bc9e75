using Espalier.Planning;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>What methods in the decoder lower to, by the numbers of their papers.</summary>
public sealed class DecoderMethodPlanTests
{
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
    public void FiCoCoLRenumbersBehindEachOfItsLayers()
    {
        ReductionPlan plan = Plan(Shapes, FiCoCoL(14, 3));
        Assert.Equal([0, 0, 0, 0, 14, 28, 42, 56, 70, 84], Enumerable.Range(0, 10).Select(plan.PositionShiftAt));
        Assert.Equal([144, 144, 144, 144, 130, 116, 102, 88, 74, 60], Enumerable.Range(0, 10).Select(plan.VisualTokensAt));
    }

    [Theory]
    [InlineData(576, new[] { 288, 144, 72 })]
    [InlineData(2880, new[] { 1440, 720, 360 })]
    public void PyramidDropHalvesWhatEntersTheDecoderStageByStage(int tokens, int[] stages) =>
        Assert.Equal(stages, Enumerable.Range(1, 3).Select(stage => TokenShare.Down(tokens, Math.Pow(new PyramidDropAttribute().Lambda, stage))));

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
}
