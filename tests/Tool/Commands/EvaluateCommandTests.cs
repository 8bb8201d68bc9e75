using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Espalier.Tests;

public sealed class EvaluateCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public EvaluateCommandTests() => QuestionData.Write(Data, 8);

    private string Data => _folder["questions.jsonl"];

    private string Output => _folder["out"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ARunLeavesAReportAndPictures()
    {
        ToolRun run = await Evaluate("-p", "[FastV(K = 2, R = 0.5)]", "-p", "[RandomPrune(AfterLayer = 1, KeepRatio = 0.1)]");
        Assert.Equal(0, run.ExitCode);
        string report = File.ReadAllText(Path.Combine(Output, "report.md"));
        Assert.Contains("| variant | visual tokens | exact | relaxed | ANLS |", report, StringComparison.Ordinal);
        Assert.Contains("| [FastV(K = 2, R = 0.5)] | 144 → 72 |", report, StringComparison.Ordinal);
        Assert.Contains("8 of 8 questions", report, StringComparison.Ordinal);
        foreach (string picture in (string[])["plans.svg", "scores.svg"])
        {
            Assert.Contains(picture, report, StringComparison.Ordinal);
            Assert.Equal("svg", XDocument.Load(Path.Combine(Output, picture)).Root!.Name.LocalName);
        }
    }

    [Fact]
    public async Task ARunThatWasEndedAnywhereGoesOnAndGivesTheSameAnswers()
    {
        string[] policy = ["-p", "[Vtw(K = 9)]", "--json"];
        JsonNode whole = (await Evaluate(policy)).Json;
        byte[] log = File.ReadAllBytes(Log);
        foreach (double share in (double[])[0.02, 0.4, 0.75, 1])
        {
            File.WriteAllBytes(Log, log[..(int)(share * log.Length)]);
            ToolRun resumed = await Evaluate(policy);
            Assert.Equal(0, resumed.ExitCode);
            Assert.True(JsonNode.DeepEquals(Scores(whole), Scores(resumed.Json)));
            Assert.Equal(Answers(log), Answers(File.ReadAllBytes(Log)));
            Assert.Equal(share > 0.1, resumed.Errors.Contains("going on after", StringComparison.Ordinal));
        }

        static JsonNode? Scores(JsonNode result) => result["variants"]![1]!["scores"];
        static IEnumerable<string> Answers(byte[] log) =>
            Encoding.UTF8.GetString(log).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(static line => string.Join('|', JsonNode.Parse(line)!["answers"]!.AsArray().Select(static answer => answer!["text"])));
    }

    [Fact]
    public async Task AFolderOfAnotherRunIsRefused()
    {
        Assert.Equal(0, (await Evaluate("--limit", "1")).ExitCode);
        foreach ((string field, string[] args) in ((string, string[])[])
            [("policies", ["--limit", "1", "-p", "[Vtw(K = 9)]"]), ("limit", ["--limit", "2"]), ("max_tokens", ["--limit", "1", "--max-tokens", "3"]), ("precision", ["--limit", "1", "--precision", "int8"])])
        {
            ToolRun run = await Evaluate(args);
            Assert.Equal(1, run.ExitCode);
            Assert.Contains($"answers.jsonl: the file is of a run with another \"{field}\"", run.Errors, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{", "line 9 is not JSON")]
    [InlineData("[1]", "line 9 is not an object")]
    [InlineData("""{"question": "q", "answer": "a"}""", "line 9 has no text \"image\"")]
    [InlineData("""{"image": "no.png", "question": "q", "answer": "a"}""", "line 9: \"image\" names")]
    [InlineData("""{"image": "questions.jsonl", "question": "q", "answer": []}""", "line 9: \"answer\" is a list, and not of texts")]
    [InlineData("""{"image": "questions.jsonl", "question": "\ud800", "answer": "a"}""", "line 9")]
    public async Task ABadLineIsNamedBeforeAnythingIsAsked(string line, string expected)
    {
        File.AppendAllText(Data, line + "\n");
        ToolRun run = await Evaluate();
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("questions.jsonl: " + expected, run.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Output));
    }

    [Fact]
    public async Task WhatCannotBeReadOrWrittenIsNamed()
    {
        File.WriteAllText(Output, "a file");
        Assert.Equal(1, (await Evaluate()).ExitCode);
        Assert.Contains("no-such.jsonl: there is no such file", (await ToolRun.Of("evaluate", ToolRun.Shapes, "no-such.jsonl")).Errors, StringComparison.Ordinal);
        File.Delete(Output);
        Directory.CreateDirectory(Output);
        File.WriteAllText(Log, "no log\n");
        Assert.Contains("answers.jsonl", (await Evaluate()).Errors, StringComparison.Ordinal);
    }

    private string Log => Path.Combine(Output, "answers.jsonl");

    private Task<ToolRun> Evaluate(params string[] args) => ToolRun.Of(["evaluate", ToolRun.Shapes, Data, "-o", Output, .. args]);
}
