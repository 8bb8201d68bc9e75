using Espalier.Planning;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>Reductions at the output of the vision tower and behind the projector: what they lower to, and with what the decoder starts.</summary>
public sealed class VisionPlanTests
{
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
}
