using System.Text.Json.Nodes;
using System.Xml.Linq;
using Espalier.Calibration;

namespace Espalier.Tests;

public sealed class SearchCommandTests : IDisposable
{
    private static readonly string[] Candidates = ["-p", "[FastV(K = 2, R = 0.5)]", "-p", "[Vtw(K = 5)]", "-p", "[RandomPrune(AfterLayer = -1, Keep = 4)]"];
    private readonly TemporaryFolder _folder = new();

    public SearchCommandTests() => QuestionData.Write(_folder["questions.jsonl"], 8);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheMostAccurateWithinTheBudgetIsChosen()
    {
        ToolRun run = await Search([.. Candidates, "--budget", "0.8", "--json"]);
        Assert.Equal(0, run.ExitCode);
        JsonArray points = run.Json["candidates"]!.AsArray();
        Assert.Equal(["", "[FastV(K = 2, R = 0.5)]", "[Vtw(K = 5)]", "[RandomPrune(AfterLayer = -1, Keep = 4)]"], points.Select(static point => (string)point!["policy"]!));
        (double Accuracy, double Flops)[] costs = [.. points.Select(static point => ((double)point!["accuracy"]!, (double)point["flops_of_dense"]!))];
        int best = Enumerable.Range(0, costs.Length).Where(i => costs[i].Flops <= 0.8).OrderByDescending(i => costs[i].Accuracy).ThenBy(i => costs[i].Flops).First();
        Assert.Equal((string)points[best]!["policy"]!, (string)run.Json["chosen"]!);
        Assert.True((bool)points[best]!["on_front"]!);
        for (int i = 0; i < costs.Length; i++)
        {
            bool beaten = costs.Any(other => other.Accuracy >= costs[i].Accuracy && other.Flops <= costs[i].Flops && other != costs[i]);
            Assert.Equal(!beaten, (bool)points[i]!["on_front"]!);
        }

        Assert.Contains((string)run.Json["chosen"]!, File.ReadAllText(_folder["out/ChosenModel.cs"]), StringComparison.Ordinal);
        foreach (string picture in (string[])["flops.svg", "time.svg"])
        {
            Assert.Equal("svg", XDocument.Load(_folder["out/" + picture]).Root!.Name.LocalName);
            Assert.Contains(picture, File.ReadAllText(_folder["out/report.md"]), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ASearchThatWasEndedGoesOn()
    {
        string[] command = [.. Candidates, "--budget", "1", "--json"];
        JsonNode whole = (await Search(command)).Json;
        byte[] log = File.ReadAllBytes(_folder["out/answers.jsonl"]);
        File.WriteAllBytes(_folder["out/answers.jsonl"], log[..(log.Length / 2)]);
        JsonNode resumed = (await Search(command)).Json;
        Assert.Equal(Choices(whole), Choices(resumed));

        static IEnumerable<string> Choices(JsonNode result) => result["candidates"]!.AsArray().Select(static point => $"{point!["policy"]} {point["accuracy"]} {point["on_front"]}").Append((string)result["chosen"]!);
    }

    [Fact]
    public async Task ABudgetThatNobodyMeetsIsNamed()
    {
        ToolRun run = await Search("-p", "[FastV(K = 2, R = 0.5)]", "--budget", "0.01", "--limit", "1");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("no candidate is within 0.01", run.Errors, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["out/report.md"]));
        Assert.False(File.Exists(_folder["out/ChosenModel.cs"]));
    }

    [Theory]
    [InlineData(3, "has 3 decoder layers, and the candidates from the literature are for 4 or more", "search")]
    [InlineData(1, "has one decoder layer", "calibrate", "vtw")]
    public async Task AModelOfFewLayersIsNamed(int layers, string message, params string[] command)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(ToolRun.Shapes, "config.json")))!;
        config["text_config"]!["num_hidden_layers"] = layers;
        Directory.CreateDirectory(_folder["few"]);
        File.WriteAllText(_folder["few/config.json"], config.ToJsonString());
        ToolRun run = await ToolRun.Of([.. command, _folder["few"], _folder["questions.jsonl"], "-o", _folder["out"]]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public async Task ARejectedCandidateIsShownWithTheCompilersWords()
    {
        ToolRun run = await Search("-p", "[FastV(K = 77, R = 0.5)]");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("ESP0101", run.Errors, StringComparison.Ordinal);
        Assert.Contains("^^", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void TheCandidatesOfTheLiteratureCompileForTheSampleModel()
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(ToolRun.Shapes, ParetoSearch.DefaultCandidates(layers: 10));
        Assert.All(compilation.Policies, static policy => Assert.True(policy.IsValid, policy.Text + string.Join(' ', policy.Diagnostics)));
        Assert.Equal(compilation.Policies.Count, compilation.Policies.Select(static policy => policy.Text).Distinct().Count());
    }

    private Task<ToolRun> Search(params string[] options) => ToolRun.Of(["search", ToolRun.Shapes, _folder["questions.jsonl"], "-o", _folder["out"], .. options]);
}
