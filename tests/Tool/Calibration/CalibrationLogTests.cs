using Espalier.Calibration;

namespace Espalier.Tests;

/// <summary>A calibration that was ended goes on where it was, and never mixes up what it measured.</summary>
public sealed class CalibrationLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Log => Path.Combine(_folder.Path, "log.jsonl");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AnEndedCalibrationGoesOnWhereItWas()
    {
        using var cancel = new CancellationTokenSource();
        var progress = new Reports(report =>
        {
            if (report.Done == 7)
            {
                cancel.Cancel();
            }
        });
        Assert.Throws<OperationCanceledException>(() => Measure(new CalibrationOptions { Log = Log, Progress = progress, CancellationToken = cancel.Token }));
        Assert.Equal(1 + 7, File.ReadAllLines(Log).Length);

        // A line that was being written when the power went.
        File.AppendAllText(Log, "{\"candidate\":\"[Freeze");
        LayerContribution resumed = Measure(new CalibrationOptions { Log = Log });
        Assert.Equal(1 + 20, File.ReadAllLines(Log).Length);
        Assert.Equal(Measure(new CalibrationOptions()).Visual, resumed.Visual);

        // All is known now: nothing is added.
        byte[] complete = File.ReadAllBytes(Log);
        Assert.Equal(resumed.Visual, Measure(new CalibrationOptions { Log = Log }).Visual);
        Assert.Equal(complete, File.ReadAllBytes(Log));
    }

    [Fact]
    public void ProgressCountsToItsTotal()
    {
        var reports = new List<CalibrationProgress>();
        Measure(new CalibrationOptions { Progress = new Reports(reports.Add) });
        Assert.Equal(Enumerable.Range(1, 20), reports.Select(static report => report.Done));
        Assert.All(reports, static report => Assert.Equal(20, report.Total));
        Assert.Equal("[FreezeVisual(9)]", reports[^1].Doing);
    }

    [Fact]
    public void ALogOfSomethingElseIsRefused()
    {
        Measure(new CalibrationOptions { Log = Log });
        CalibrationException refused = Assert.Throws<CalibrationException>(() => Measure(new CalibrationOptions { Log = Log, Order = DivergenceOrder.DenseFromReduced }));
        Assert.Contains("another \"order\"", refused.Message, StringComparison.Ordinal);
        refused = Assert.Throws<CalibrationException>(() => LayerContribution.Measure(CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0], CalibrationGoldens.Samples[2]], new CalibrationOptions { Log = Log }));
        Assert.Contains("another \"digest\"", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{\"candidate\":\"x\"}")]
    [InlineData("{\"candidate\":\"x\",\"sample\":0,\"value\":\"much\"}")]
    [InlineData("{\"candidate\":1,\"sample\":\"a\",\"value\":\"1\"}")]
    public void ADamagedLineIsNamed(string line)
    {
        Measure(new CalibrationOptions { Log = Log });
        List<string> lines = [.. File.ReadAllLines(Log)];
        lines.Insert(3, line);
        File.WriteAllLines(Log, lines);
        Assert.Contains("line 4", Assert.Throws<CalibrationException>(() => Measure(new CalibrationOptions { Log = Log })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatCannotBeMeasuredIsNamed()
    {
        Assert.Contains("at least one sample", Assert.Throws<CalibrationException>(() => LayerContribution.Measure(CalibrationGoldens.Shapes, [])).Message, StringComparison.Ordinal);
        Assert.Contains("nowhere.png", Assert.Throws<CalibrationException>(() => LayerContribution.Measure(CalibrationGoldens.Shapes, [new CalibrationSample("nowhere.png", "what ?")])).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be opened", Assert.Throws<CalibrationException>(() => Measure(new CalibrationOptions { Log = Path.Combine(_folder.Path, "no", "log") })).Message, StringComparison.Ordinal);
        string tooLong = string.Join(' ', Enumerable.Repeat("what", 600));
        Assert.Contains("Ask a shorter one", Assert.Throws<CalibrationException>(() => LayerContribution.Measure(CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0] with { Question = tooLong }], text: false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheSameSeedDrawsTheSameSamples()
    {
        CalibrationSample[] all = [.. Enumerable.Range(0, 100).Select(static i => new CalibrationSample($"{i}.png", "what ?"))];
        IReadOnlyList<CalibrationSample> chosen = CalibrationSample.Choose(all, 10, seed: 3);
        Assert.Equal(10, chosen.Count);
        Assert.Equal(chosen, CalibrationSample.Choose(all, 10, seed: 3));
        Assert.NotEqual(chosen, CalibrationSample.Choose(all, 10, seed: 4));
        Assert.Equal(chosen.OrderBy(sample => Array.IndexOf(all, sample)), chosen);
        Assert.Equal(all, CalibrationSample.Choose(all, 1000));
    }

    private static LayerContribution Measure(CalibrationOptions options) => LayerContribution.Measure(CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0], CalibrationGoldens.Samples[1]], options, text: false);

    private sealed class Reports(Action<CalibrationProgress> tell) : IProgress<CalibrationProgress>
    {
        public void Report(CalibrationProgress value) => tell(value);
    }
}
