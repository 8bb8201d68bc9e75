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
        Assert.Contains("another \"questions and pictures\"", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALogOfTheModelBeforeItWasTrainedFurtherIsRefused()
    {
        string folder = CopyOfShapes();
        Measure(new CalibrationOptions { Log = Log }, folder);
        byte[] weights = File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
        for (int i = weights.Length / 2; i < weights.Length; i += 2)
        {
            // The last bit of half-precision weights: of the same shapes, so the files are of the same lengths.
            weights[i] ^= 1;
        }

        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), weights);
        Assert.Contains("another \"model\"", Assert.Throws<CalibrationException>(() => Measure(new CalibrationOptions { Log = Log }, folder)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("my notes, without a line feed")]
    [InlineData("my notes,\nin two lines")]
    [InlineData("{\"model\":\"another\",")]
    public void AFileOfSomebodyElseIsLeftAsItIs(string text)
    {
        File.WriteAllText(Log, text);
        Assert.Contains(Log, Assert.Throws<CalibrationException>(() => Measure(new CalibrationOptions { Log = Log })).Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(Log));
    }

    [Fact]
    public void ALogThatWasCutOffInItsFirstLineIsBegunAnew()
    {
        Measure(new CalibrationOptions { Log = Log });
        byte[] complete = File.ReadAllBytes(Log);
        File.WriteAllBytes(Log, complete[..20]);
        Measure(new CalibrationOptions { Log = Log });
        Assert.Equal(complete, File.ReadAllBytes(Log));
    }

    [Fact]
    public void WhatIsNoNumberIsNamedAndNotRanked()
    {
        string folder = CopyOfShapes();
        CalibrationGoldens.Spoil(Path.Combine(folder, "model.safetensors"), "model.norm.weight");
        CalibrationException error = Assert.Throws<CalibrationException>(() => Measure(new CalibrationOptions { Log = Log }, folder));
        Assert.Contains("gives no finite numbers", error.Message, StringComparison.Ordinal);
        Assert.Contains(CalibrationGoldens.Samples[0].Image, error.Message, StringComparison.Ordinal);
        Assert.Single(File.ReadAllLines(Log));
    }

    [Fact]
    public void ProgressOfABisectionNarrowsDown()
    {
        var reports = new List<CalibrationProgress>();
        GSearch.Run(CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0]], tolerance: 1, options: new CalibrationOptions { Progress = new Reports(reports.Add) });
        Assert.All(reports, static report => Assert.InRange(report.Done, 1, report.Total));
        Assert.Equal(reports.Select(static report => report.Total).OrderDescending(), reports.Select(static report => report.Total));
        Assert.Equal(9 * 8, reports[0].Total);
        Assert.InRange(reports[^1].Total, reports[^1].Done, 9 * 8 / 2);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{\"candidate\":\"x\"}")]
    [InlineData("{\"candidate\":\"x\",\"sample\":0,\"value\":\"much\"}")]
    [InlineData("{\"candidate\":\"x\",\"sample\":0,\"value\":\"NaN\"}")]
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

    private static LayerContribution Measure(CalibrationOptions options, string? folder = null) => LayerContribution.Measure(folder ?? CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0], CalibrationGoldens.Samples[1]], options, text: false);

    private string CopyOfShapes()
    {
        string folder = Path.Combine(_folder.Path, "shapes");
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(CalibrationGoldens.Shapes))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        return folder;
    }

    private sealed class Reports(Action<CalibrationProgress> tell) : IProgress<CalibrationProgress>
    {
        public void Report(CalibrationProgress value) => tell(value);
    }
}
