using Espalier.Calibration;
using Espalier.Planning;

namespace Espalier.Tests;

public sealed class SearchTests
{
    [Fact]
    public void DivergenceIsTheGoldens()
    {
        float[] Logits(uint seed) => [.. Lcg(seed).Take(5).Select(static value => (float)(4 * value))];
        Assert.Equal(0.475529484, Divergence.Of(Logits(8), Logits(9)), 1e-6);
        Assert.Equal(0, Divergence.Of(Logits(8), Logits(8)));
        Assert.Throws<ArgumentException>(() => Divergence.Of([1f], [1f, 2f]));

        static IEnumerable<double> Lcg(uint seed)
        {
            for (ulong state = seed; ;)
            {
                state = ((state * 1103515245) + 12345) % (1UL << 31);
                yield return (state / (double)(1UL << 31)) - 0.5;
            }
        }
    }

    [Fact]
    public void WithdrawalIsTheReferencesAndTakesTheFirstLayerThatIsAccepted()
    {
        double[] expected = CalibrationGoldens.Of("vtw");
        WithdrawalSearch search = WithdrawalSearch.Run(CalibrationGoldens.Shapes, CalibrationGoldens.Samples, threshold: 0.05, firstLayer: 1);
        CalibrationGoldens.AssertClose(expected, search.Divergences);
        Assert.Equal(1 + Array.FindIndex(expected, static value => value <= 0.05), search.K);
        Assert.Equal($"[Vtw(K = {search.K})]", search.ToPolicy());
    }

    [Fact]
    public void WhereNoWithdrawalIsAcceptedThePolicyIsTheDenseModel()
    {
        WithdrawalSearch search = WithdrawalSearch.Run(CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0]], threshold: 0, firstLayer: 1);
        Assert.Null(search.K);
        Assert.Equal("", search.ToPolicy());
        Assert.Contains("[VisionLanguageModel(\"shapes\")]\npublic sealed partial class Shapes;\n", search.ToDeclaration("Shapes"), StringComparison.Ordinal);
    }

    [Fact]
    public void GSearchStaysWithinItsToleranceAndCountsNeverRise()
    {
        KeepSchedule schedule = GSearch.Run(CalibrationGoldens.Shapes, [.. CalibrationGoldens.Samples.Take(2)], tolerance: 0.02);
        Assert.InRange(schedule.Divergence, 0, 0.02);
        Assert.Equal(144, schedule.Counts[0]);
        Assert.Equal(schedule.Counts.OrderDescending(), schedule.Counts);
        Assert.True(schedule.Counts[^1] < 144);
        AssertCounts(schedule);
    }

    [Theory]
    [InlineData(0.45)]
    [InlineData(0.6)]
    public void PSigmoidUsesItsBudget(double budget)
    {
        KeepSchedule schedule = PSigmoid.Run(CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0]], budget);
        ReductionPlan plan = AssertCounts(schedule);
        double share = plan.Flops(FlopsConvention.C, CostModel.AssumedTextTokens) / plan.DenseFlops(FlopsConvention.C, CostModel.AssumedTextTokens);
        Assert.InRange(share, budget - 0.02, budget);
    }

    [Fact]
    public void TheSameSearchFindsTheSameToTheLastDigit()
    {
        CalibrationSample[] samples = [.. CalibrationSample.Choose(CalibrationGoldens.Samples, 2, seed: 11)];
        Assert.Equal(samples, CalibrationSample.Choose(CalibrationGoldens.Samples, 2, seed: 11));
        AssertSame(() => WithdrawalSearch.Run(CalibrationGoldens.Shapes, samples, firstLayer: 6).Divergences);
        AssertSame(() => LayerContribution.Measure(CalibrationGoldens.Shapes, samples, text: false).Visual);
        AssertSame(() => Told(GSearch.Run(CalibrationGoldens.Shapes, samples, tolerance: 0.02)));
        AssertSame(() => Told(PSigmoid.Run(CalibrationGoldens.Shapes, [samples[0]], 0.6)));

        static double[] Told(KeepSchedule schedule) => [schedule.Divergence, .. schedule.Counts.Select(static count => (double)count)];
        static void AssertSame(Func<IReadOnlyList<double>> search) => Assert.Equal(search(), search());
    }

    [Fact]
    public void WhatCannotBeSearchedIsNamed()
    {
        CalibrationSample[] samples = [CalibrationGoldens.Samples[0]];
        Assert.Contains("Name a larger one", Assert.Throws<CalibrationException>(() => PSigmoid.Run(CalibrationGoldens.Shapes, samples, 0.01)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => PSigmoid.Run(CalibrationGoldens.Shapes, samples, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => PSigmoid.Run(CalibrationGoldens.Shapes, samples, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => GSearch.Run(CalibrationGoldens.Shapes, samples, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => GSearch.Run(CalibrationGoldens.Shapes, samples, 1, firstLayer: 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => WithdrawalSearch.Run(CalibrationGoldens.Shapes, samples, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => WithdrawalSearch.Run(CalibrationGoldens.Shapes, samples, firstLayer: 0));
    }

    /// <summary>The attributes mean what the schedule says.</summary>
    private static ReductionPlan AssertCounts(KeepSchedule schedule)
    {
        using PolicyCompilation compiled = PolicyCompiler.Compile(CalibrationGoldens.Shapes, [schedule.ToPolicy()]);
        Assert.Empty(compiled.Policies[0].Diagnostics);
        ReductionPlan plan = compiled.Policies[0].Plan!;
        Assert.Equal(schedule.Counts, Enumerable.Range(0, plan.Layers).Select(plan.VisualTokensAt));
        return plan;
    }
}
