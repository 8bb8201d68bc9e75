using Espalier.Calibration;

namespace Espalier.Tests;

public sealed class HeadSearchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RatiosAreTheReferences()
    {
        HeadSearch search = HeadSearch.Run(CalibrationGoldens.Shapes, CalibrationGoldens.Samples, threshold: 4);
        double[] expected = CalibrationGoldens.Of("head_ratios");
        double[] measured = [.. search.Ratios.SelectMany(static heads => heads).SelectMany(static samples => samples)];
        Assert.Equal(expected.Length, measured.Length);
        Assert.Equal(9 * search.Ratios[0].Count * CalibrationGoldens.Samples.Count, expected.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            // Attention weights agree within some 1e-6, and where nearly all of it is visual, a ratio multiplies that.
            Assert.True(Math.Abs(expected[i] - measured[i]) <= 1e-6 + (1e-4 * expected[i] * (1 + expected[i])), $"{i}: {expected[i]} was expected, {measured[i]} was measured");
        }
    }

    [Theory]
    [InlineData(0.5, "1 2")]
    [InlineData(0.49, "2")]
    [InlineData(0.0, "")]
    [InlineData(9.0, "0 1 2 3")]
    public void AHeadStaysAboveTheThresholdInMoreThanTwoFifthsOfTheSamples(double threshold, string dropped)
    {
        double[][] heads =
        [
            [0.6, 0.6, 0.6, 0, 0],
            [0.6, 0.6, 0.5, 0.5, 0],
            [0.6, 0.6, 0.1, 0.1, 0.1],
            [1, 2, 3, 4, double.PositiveInfinity],
        ];
        Assert.Equal(dropped, string.Join(' ', HeadSearch.Without(heads, threshold)));
    }

    [Fact]
    public void TheDeclarationDropsTheHeadsThatWereFound()
    {
        HeadSearch search = HeadSearch.Run(CalibrationGoldens.Shapes, CalibrationGoldens.Samples, threshold: 4);
        Assert.All(search.Dropped.Take(HeadSearch.FirstLayer), Assert.Empty);
        Assert.Contains(search.Dropped.Skip(HeadSearch.FirstLayer), static heads => heads.Count > 0);
        Assert.True(search.Divergence > 0);
        using PolicyCompilation compiled = PolicyCompiler.Compile(CalibrationGoldens.Shapes, [search.ToPolicy()]);
        Assert.True(compiled.Policies[0].IsValid);
        for (int layer = 0; layer < search.Dropped.Count; layer++)
        {
            Assert.Equal(search.Dropped[layer], compiled.Policies[0].Plan!.Segments.Single(segment => segment.FirstLayer <= layer && layer <= segment.LastLayer).Partial?.DroppedHeads ?? []);
        }

        string declaration = search.ToDeclaration("LazyShapes");
        Assert.StartsWith("using Espalier;\n\n// Heads whose attention to visual tokens is above 4", declaration, StringComparison.Ordinal);
        Assert.EndsWith("public sealed partial class LazyShapes;\n", declaration, StringComparison.Ordinal);

        // No head is below nothing: the dense model.
        HeadSearch none = HeadSearch.Run(CalibrationGoldens.Shapes, [CalibrationGoldens.Samples[0]], threshold: 0);
        Assert.Equal(("", null), (none.ToPolicy(), none.Divergence));
        Assert.Contains("Every head's attention", none.ToDeclaration("DenseShapes"), StringComparison.Ordinal);
    }

    [Fact]
    public void AnEndedSearchGoesOnWhereItWas()
    {
        string log = Path.Combine(_folder.Path, "log.jsonl");
        using var cancel = new CancellationTokenSource();
        var reports = new List<CalibrationProgress>();
        var options = new CalibrationOptions { Log = log };
        Assert.Throws<OperationCanceledException>(() => Run(options with { Progress = new Told(_ => cancel.Cancel()), CancellationToken = cancel.Token }));
        byte[] ended = File.ReadAllBytes(log);
        HeadSearch resumed = Run(options with { Progress = new Told(reports.Add) });
        Assert.Equal(ended, File.ReadAllBytes(log)[..ended.Length]);
        Assert.Equal(Enumerable.Range(1, 2 * CalibrationGoldens.Samples.Count), reports.Select(static report => report.Done));
        Assert.All(reports, static report => Assert.Equal(2 * CalibrationGoldens.Samples.Count, report.Total));

        // All is known now, and nothing but the log says it.
        byte[] complete = File.ReadAllBytes(log);
        HeadSearch again = Run(options);
        Assert.Equal(complete, File.ReadAllBytes(log));
        Assert.Equal(Run(new CalibrationOptions()).ToDeclaration("A"), again.ToDeclaration("A"));
        Assert.Equal(resumed.Ratios, again.Ratios);

        static HeadSearch Run(CalibrationOptions options) => HeadSearch.Run(CalibrationGoldens.Shapes, CalibrationGoldens.Samples, 4, options);
    }

    [Fact]
    public void WhatCannotBeAskedIsNamed()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => HeadSearch.Run(CalibrationGoldens.Shapes, CalibrationGoldens.Samples, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => HeadSearch.Run(CalibrationGoldens.Shapes, CalibrationGoldens.Samples, double.NaN));
        CalibrationException refused = Assert.Throws<CalibrationException>(() => HeadSearch.Run(CalibrationGoldens.Shapes, CalibrationGoldens.Samples, 0.1, new CalibrationOptions { Model = new ModelOptions { Precision = Precision.Int8 } }));
        Assert.Contains("Calibrate in Precision.Float32", refused.Message, StringComparison.Ordinal);
    }

    private sealed class Told(Action<CalibrationProgress> then) : IProgress<CalibrationProgress>
    {
        public void Report(CalibrationProgress value) => then(value);
    }
}
