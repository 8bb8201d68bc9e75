using Espalier.Calibration;

namespace Espalier.Tests;

public sealed class LayerContributionTests
{
    [Theory]
    [InlineData(DivergenceOrder.ReducedFromDense, "")]
    [InlineData(DivergenceOrder.DenseFromReduced, "_from_dense")]
    public void ContributionsAreTheReferences(DivergenceOrder order, string suffix)
    {
        LayerContribution measured = LayerContribution.Measure(CalibrationGoldens.Shapes, CalibrationGoldens.Samples, new CalibrationOptions { Order = order });
        CalibrationGoldens.AssertClose(CalibrationGoldens.Of("visual" + suffix), measured.Visual);
        CalibrationGoldens.AssertClose(CalibrationGoldens.Of("text" + suffix), measured.Text);
    }

    [Fact]
    public void VisualTokensOfTheLastLayerContributeNothingAndAreTheFirstToFreeze()
    {
        LayerContribution measured = LayerContribution.Measure(CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0]], text: false);
        Assert.Equal(0, measured.Visual[^1]);
        Assert.Empty(measured.Text);
        Assert.Equal(9, measured.Ranking[0]);
        Assert.Equal("[ShortV(9)]", measured.ToPolicy(1));
        Assert.Equal(Enumerable.Range(0, 10), measured.Ranking.Order());
    }

    [Fact]
    public void TheDeclarationCompilesToThePlanOfItsPolicy()
    {
        LayerContribution measured = LayerContribution.Measure(CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0]], text: false);
        string declaration = measured.ToDeclaration(3, "FrozenShapes");
        Assert.StartsWith("using Espalier;\n\n// The 3 layers that contribute least", declaration, StringComparison.Ordinal);
        Assert.EndsWith($"[VisionLanguageModel(\"shapes\")]\n{measured.ToPolicy(3)}\npublic sealed partial class FrozenShapes;\n", declaration, StringComparison.Ordinal);
        using PolicyCompilation compiled = PolicyCompiler.Compile(CalibrationGoldens.Shapes, [measured.ToPolicy(3)]);
        Assert.Equal(measured.Ranking.Take(3).Order(), Enumerable.Range(0, 10).Where(layer => compiled.Policies[0].Plan!.Segments.Any(segment => segment.Mode == Planning.LayerMode.Frozen && segment.FirstLayer <= layer && layer <= segment.LastLayer)));
        Assert.Throws<ArgumentOutOfRangeException>(() => measured.ToPolicy(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => measured.ToPolicy(11));
    }
}
