using Espalier.Benchmarks;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Measuring;
using Espalier.Benchmarks.Plots;
using Espalier.Benchmarks.Synthesis;
using Espalier.Planning;

namespace Espalier.Tests.Benchmarks;

/// <summary>The benchmarks still run, and their arithmetic is right. What they measure is not judged here.</summary>
public sealed class BenchmarkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void QuartilesInterpolate()
    {
        Spread spread = Spread.Of([4, 1, 3, 2]);
        Assert.Equal(new Spread(1, 1.75, 2.5, 3.25), spread);
        Assert.Equal(new Spread(7, 7, 7, 7), Spread.Of([7]));
    }

    [Fact]
    public void RatiosPairTheRounds()
    {
        var slow = new Measurement("slow", [2, 4, 6], [8, 8, 8]);
        var fast = new Measurement("fast", [1, 4, 2], [2, 2, 2]);
        Ratio ratio = slow.To(fast);
        Assert.Equal(2, ratio.Wall);
        Assert.Equal(2, ratio.Minimum);
        Assert.Equal(4, ratio.Cpu);
        Assert.Equal(2, ratio.Rounds.Median);
        Assert.Equal(1, ratio.Rounds.Minimum);
    }

    [Fact]
    public void ContendersTakeTurns()
    {
        var order = new List<string>();
        using var progress = new ProgressLine();
        Measurement[] measurements = Interleaved.Measure(
            [new("a", () => order.Add("a"), () => order.Add("prepare")), new("b", () => order.Add("b"), Repeats: 2)],
            warmUp: 1,
            rounds: 2,
            progress,
            CancellationToken.None);
        Assert.Equal("prepare a b b prepare a b b prepare a b b", string.Join(' ', order));
        Assert.All(measurements, static measurement => Assert.Equal(2, measurement.Wall.Length));
    }

    [Fact]
    public void EveryPresetHasItsClasses()
    {
        foreach (string preset in Presets.Names)
        {
            ModelGeometry? geometry = ModelGeometryReader.Read(File.ReadAllText(Presets.Find(preset))).Geometry;
            Assert.Contains(Suite.All, suite => suite.Preset == preset && suite.Variants.All(variant => variant.Plan.Geometry == geometry));
        }
    }

    [Theory]
    [InlineData("monolith", "largest difference between the two: 0.")]
    [InlineData("frozen", "FrozenScored")]
    [InlineData("reductions", "8 registers")]
    [InlineData("parts", "decoder, 8 layers, 108 rows")]
    [InlineData("precisions", "decode behind 600, Int4")]
    [InlineData("batches", "of each sequence alone, 4 steps: 0.")]
    [InlineData("first-token", "Int8, FiCoCo-V in the tower")]
    [InlineData("roof", "decode behind 600")]
    public Task EveryCommandRuns(string command, string expected) => AssertRuns(command, expected, "--rounds", "1", "--warm-up", "0");

    [Fact]
    public Task OtherPrecisionsRun() => AssertRuns("frozen", "tiny, Int8", "--rounds", "1", "--warm-up", "0", "--precision", "Int8");

    [LinuxFact]
    public Task TheMemoryCommandRuns() => AssertRuns("memory", "and all kinds of all layers");

    /// <summary>It takes no model, and needs the compiler, which lies beside the benchmarks' own build alone.</summary>
    [Fact]
    public async Task TheGeneratorCommandRuns()
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string benchmarks = RepositoryFolder.Combine("tests", "Benchmarks", "bin", configuration, "net10.0", "Espalier.Benchmarks.dll");
        ChildProcess run = await ChildProcess.RunDotnet(_folder.Path, benchmarks, "generator", "--rounds", "1");
        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.Contains("after a keystroke elsewhere", run.Output, StringComparison.Ordinal);
    }

    private async Task AssertRuns(string command, string expected, params string[] options)
    {
        string model = _folder["tiny"];
        string output = _folder["results.md"];
        SyntheticCheckpoint.Write(Presets.Find("tiny"), model, TensorType.F32, 1, SyntheticCheckpoint.DefaultShardBytes, null, CancellationToken.None);

        // A process of its own: ONNX Runtime has one environment in a process, and the commands set its threads.
        ChildProcess run = await ChildProcess.RunDotnet(_folder.Path, [typeof(Suite).Assembly.Location, command, model, "--threads", "1", "--output", output, .. options]);
        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        Assert.Contains(expected, File.ReadAllText(output), StringComparison.Ordinal);
        Assert.StartsWith(command + ": tiny", ResultFile.Read(Path.ChangeExtension(output, ".json")).Title, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatWasMeasuredIsDrawn()
    {
        await AssertRuns("reductions", "drop 50 %", "--rounds", "1", "--warm-up", "0");
        string results = _folder["results.json"];
        ChildProcess run = await ChildProcess.RunDotnet(_folder.Path, typeof(Suite).Assembly.Location, "plot", results, "--output", _folder["plots"]);
        Assert.True(run.ExitCode == 0, run.Errors);
        BarChart[] charts = [.. ResultFile.Read(results).Charts];
        Assert.Equal(["Prefill, times as fast as the dense variant", "Pixels to logits, times as fast as the dense variant"], charts.Select(static chart => chart.Title));
        BarChart chart = charts[0];
        string picture = File.ReadAllText(Path.Combine(_folder["plots"], "results-1.svg"));
        var svg = System.Xml.Linq.XDocument.Parse(picture);
        Assert.All(chart.Bars, bar => Assert.Contains(svg.Descendants(), element => element.Name.LocalName == "text" && element.Value == bar.Name));
        Assert.All(chart.Bars, static bar => Assert.True(bar.Mark >= 1));
        Assert.Equal(picture, BarPlot.Draw(chart, $"{ResultFile.Read(results).Title}; {ResultFile.Read(results).Time} UTC, {ResultFile.Read(results).Machine}."));
    }

    [Fact]
    public void ThePageShowsWhatLiesBesideIt()
    {
        string page = RepositoryFolder.Combine("tests", "Benchmarks", "RESULTS.md");
        string results = _folder["results"];
        Directory.CreateDirectory(results);
        foreach (string file in Directory.GetFiles(RepositoryFolder.Combine("tests", "Benchmarks", "results")).Where(static file => !file.EndsWith(".svg", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(results, Path.GetFileName(file)));
        }

        string relative = Path.GetRelativePath(Path.GetDirectoryName(page)!, results).Replace('\\', '/');
        Assert.Equal(File.ReadAllText(page), PageCommand.Fill(page, results).Replace($"]({relative}/", "](results/", StringComparison.Ordinal));
        foreach (string picture in Directory.GetFiles(results, "*.svg"))
        {
            Assert.Equal(File.ReadAllText(RepositoryFolder.Combine("tests", "Benchmarks", "results", Path.GetFileName(picture))), File.ReadAllText(picture));
        }
    }

    [Theory]
    [InlineData("no place", "the page has none")]
    [InlineData("<!-- result a -->\nopen\n", "the page has none")]
    [InlineData("<!-- result a -->\nopen\n<!-- result b -->\n<!-- /result -->\n", "one of them is not closed")]
    [InlineData("<!-- result nothing -->\n<!-- /result -->\n", "there is no")]
    public void APageWithoutPlacesIsNamed(string text, string expected)
    {
        string page = _folder["page.md"];
        File.WriteAllText(page, text);
        BenchmarkException exception = Assert.Throws<BenchmarkException>(() => PageCommand.Fill(page, _folder.Path));
        Assert.Contains(page, exception.Message, StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("{}")]
    [InlineData("""{ "title": "a", "time": "b", "machine": "c", "charts": [{ "title": "d", "unit": "ms", "bars": [] }] }""")]
    [InlineData("""{ "title": "a", "time": "b", "machine": "c", "charts": [null] }""")]
    public void OtherFilesAreNotDrawn(string text)
    {
        File.WriteAllText(_folder["other.json"], text);
        BenchmarkException error = Assert.Throws<BenchmarkException>(() => ResultFile.Read(_folder["other.json"]));
        Assert.Contains(_folder["other.json"], error.Message, StringComparison.Ordinal);
    }

    /// <summary>BenchmarkDotNet lies beside the benchmarks' own build alone.</summary>
    [Fact]
    public async Task TheKernelsRun()
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string benchmarks = RepositoryFolder.Combine("tests", "Benchmarks", "bin", configuration, "net10.0", "Espalier.Benchmarks.dll");
        ChildProcess run = await ChildProcess.RunDotnet(_folder.Path, benchmarks, "kernels", "--quick");
        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.Contains("executed benchmarks: 14", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProcessesThatQuantiseAtOnceLeaveOneGoodFileEach()
    {
        string model = _folder["tiny"];
        SyntheticCheckpoint.Write(Presets.Find("tiny"), model, TensorType.F32, 1, SyntheticCheckpoint.DefaultShardBytes, null, CancellationToken.None);
        byte[][] together = await Quantise(processes: 3);
        Assert.Equal(3, together.Length);
        Directory.Delete(Path.Combine(model, ".espalier"), recursive: true);
        Assert.Equal(together, await Quantise(processes: 1));

        async Task<byte[][]> Quantise(int processes)
        {
            ChildProcess[] runs = await Task.WhenAll(Enumerable.Range(0, processes).Select(_ =>
                ChildProcess.RunDotnet(_folder.Path, typeof(Suite).Assembly.Location, "precisions", model, "--threads", "1", "--rounds", "1", "--warm-up", "0")));
            Assert.All(runs, static run => Assert.True(run.ExitCode == 0, run.Errors));
            return [.. Directory.GetFiles(Path.Combine(model, ".espalier")).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        }
    }
}
