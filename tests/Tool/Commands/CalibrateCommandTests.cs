using System.Text.Json.Nodes;
using System.Xml.Linq;
using Espalier.Calibration;

namespace Espalier.Tests;

public sealed class CalibrateCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CalibrateCommandTests() => QuestionData.Write(_folder["questions.jsonl"], 6);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("shortv", "[ShortV(", "--layers", "3")]
    [InlineData("shortv", "[ShortV(")]
    [InlineData("vtw", "[Vtw(K = ", "--threshold", "5")]
    [InlineData("gsearch", "[PruneVisual(", "--threshold", "0.05")]
    [InlineData("psigmoid", "[PruneVisual(", "--budget", "0.6")]
    [InlineData("yopo", "[YopoHeads(", "--ratio", "4")]
    [InlineData("redundancylens", "[RedundancyLens(", "--layers", "4")]
    public async Task ACalibrationLeavesAReportAPictureAndADeclarationThatCompiles(string method, string attribute, params string[] options)
    {
        ToolRun run = await Calibrate(method, ["--samples", "2", .. options]);
        Assert.Equal(0, run.ExitCode);
        string declaration = File.ReadAllText(_folder["out/CalibratedModel.cs"]);
        Assert.Contains(attribute, declaration, StringComparison.Ordinal);
        Assert.EndsWith(declaration, run.Output, StringComparison.Ordinal);
        Assert.Contains(declaration, File.ReadAllText(_folder["out/report.md"]), StringComparison.Ordinal);
        Assert.Equal("svg", XDocument.Load(_folder["out/layers.svg"]).Root!.Name.LocalName);
        string policy = string.Join(' ', declaration.Split('\n').Where(static line => line.StartsWith('[') && !line.StartsWith("[Vision", StringComparison.Ordinal)));
        using PolicyCompilation compiled = PolicyCompiler.Compile(ToolRun.Shapes, [policy]);
        Assert.True(compiled.Policies[0].IsValid);
        Assert.False(compiled.Policies[0].Plan!.IsDense);
    }

    [Fact]
    public async Task TheSameCommandTakesWhatItMeasuredBefore()
    {
        JsonNode first = (await Calibrate("shortv", "--samples", "2", "--json")).Json;
        byte[] log = File.ReadAllBytes(_folder["out/calibration.jsonl"]);
        File.WriteAllBytes(_folder["out/calibration.jsonl"], log[..(log.Length / 2)]);
        Assert.True(JsonNode.DeepEquals(first, (await Calibrate("shortv", "--samples", "2", "--json")).Json));
        Assert.Equal(log, File.ReadAllBytes(_folder["out/calibration.jsonl"]));
        ToolRun other = await Calibrate("shortv", "--samples", "3");
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("calibration.jsonl: the file is of a run with another", other.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACancelledCalibrationSaysWhereItGoesOn()
    {
        ToolRun run = await ToolRun.Cancelled("calibrate", "shortv", ToolRun.Shapes, _folder["questions.jsonl"], "-o", _folder["out"]);
        Assert.Equal((130, ""), (run.ExitCode, run.Output));
        Assert.Equal($"cancelled; the same command goes on from {_folder["out/calibration.jsonl"]}\n", run.Errors);
    }

    [Theory]
    [InlineData(2, "Argument 'speed' not recognized", "speed")]
    [InlineData(2, "--class is a C# identifier, not 1 2", "shortv", "--class", "1 2")]
    [InlineData(2, "--budget is a number between 0 and 1, not 7", "psigmoid", "--budget", "7")]
    [InlineData(1, "--layers is 99 and the model has 10 layers. Name fewer.", "shortv", "--layers", "99")]
    [InlineData(2, "--ratio is a number of at least 0, not -1", "yopo", "--ratio", "-1")]
    [InlineData(1, "Calibrate in Precision.Float32", "yopo", "--samples", "1", "--precision", "int8")]
    [InlineData(1, "Name a larger one", "psigmoid", "--samples", "1", "--budget", "0.001")]
    public async Task WhatIsWrongIsNamed(int code, string message, string method, params string[] options)
    {
        ToolRun run = await Calibrate(method, options);
        Assert.Equal(code, run.ExitCode);
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("The question 'what is it ?': ", "calibrate", "vtw")]
    [InlineData("line 2: ", "search")]
    [InlineData("line 2: ", "evaluate")]
    public async Task AFileThatIsNoPictureIsNamedWithItsQuestion(string place, params string[] command)
    {
        File.WriteAllText(_folder["notes.png"], "no picture");
        File.WriteAllText(_folder["questions.jsonl"], "\n" + """{"image": "notes.png", "question": "what is it ?", "answer": "nothing"}""");
        string[] policy = command[0] == "calibrate" ? [] : ["-p", "[Vtw(K = 5)]"];
        ToolRun run = await ToolRun.Of([.. command, ToolRun.Shapes, _folder["questions.jsonl"], "-o", _folder["out"], .. policy]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{place}{_folder["notes.png"]} is not a JPEG", run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("calibrate", "vtw")]
    [InlineData("search")]
    [InlineData("evaluate")]
    public async Task AnOutputThatCannotBeAFolderIsNamed(params string[] command)
    {
        foreach ((string output, string message) in ((string, string)[])[("questions.jsonl", "this is a file. Name a folder with --output"), ("questions.jsonl/out", "the folder cannot be made")])
        {
            ToolRun run = await ToolRun.Of([.. command, ToolRun.Shapes, _folder["questions.jsonl"], "-o", _folder[output]]);
            Assert.Equal(1, run.ExitCode);
            Assert.Contains($"{_folder[output]}: {message}", run.Errors, StringComparison.Ordinal);
        }
    }

    private Task<ToolRun> Calibrate(string method, params string[] options) =>
        ToolRun.Of(["calibrate", method, ToolRun.Shapes, _folder["questions.jsonl"], "-o", _folder["out"], .. options]);
}
