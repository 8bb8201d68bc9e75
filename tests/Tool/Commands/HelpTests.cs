namespace Espalier.Tests;

public sealed class HelpTests
{
    [Theory]
    [InlineData("inspect")]
    [InlineData("plan")]
    [InlineData("ask")]
    [InlineData("evaluate")]
    [InlineData("calibrate")]
    [InlineData("search")]
    [InlineData("graph")]
    [InlineData("batch")]
    public async Task EveryCommandHasExamplesAndExitCodes(string command)
    {
        ToolRun run = await ToolRun.Of(command, "--help");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"Examples:\n  espalier {command} ", run.Output, StringComparison.Ordinal);
        Assert.Contains("Exit codes: 0 done", run.Output, StringComparison.Ordinal);
        Assert.Contains($"  espalier {command} ", (await ToolRun.Of("--help")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWrongCommandLineNamesTheHelp()
    {
        ToolRun run = await ToolRun.Of("plan", ToolRun.Shapes, "--speed", "11");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--speed", run.Errors, StringComparison.Ordinal);
        Assert.EndsWith("Try: espalier plan --help\n", run.Errors, StringComparison.Ordinal);
    }

    /// <summary>Before anything is computed, whatever else is wrong: the model of these command lines is not there.</summary>
    [Theory]
    [InlineData("--svg", "plan", "missing")]
    [InlineData("--output", "graph", "missing", "--layer", "1")]
    [InlineData("--output", "batch", "missing", "questions.jsonl")]
    public async Task AFolderWhereAFileIsWrittenIsNamedFirst(string option, params string[] command)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = await ToolRun.Of([.. command, option, folder.Path]);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Equal($"{folder.Path}: this is a folder. Name a file with {option}.\n", run.Errors);
        run = await ToolRun.Of([.. command, option, folder["file"]]);
        Assert.Equal(1, run.ExitCode);
        Assert.DoesNotContain("is a folder", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutACommandThereIsTheHelp()
    {
        ToolRun run = await ToolRun.Of();
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
        Assert.Contains("Commands:", run.Output, StringComparison.Ordinal);
        run = await ToolRun.Of("answer");
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Equal("There is no command 'answer'. The commands are inspect, plan, ask, evaluate, calibrate, search, graph, batch.\nTry: espalier --help\n", run.Errors);
    }

    [Theory]
    [InlineData("--kind is one of Dense, Scored, Frozen, ", "graph", "model", "--kind", "Froz")]
    [InlineData("--part is one of layer, vision, projector, head, not tower", "graph", "model", "--part", "tower")]
    [InlineData("--layer is a whole number of at least 0, not -1", "graph", "model", "--layer", "-1")]
    [InlineData("--precision is one of float32, int8, int4, int8prefillint4decode, float16, bfloat16, not int7", "ask", "model", "picture", "what ?", "--precision", "int7")]
    [InlineData("The question is empty", "ask", "model", "picture", " ")]
    [InlineData("--max-tokens is a whole number of at least 1, not 0", "ask", "model", "picture", "what ?", "--max-tokens", "0")]
    [InlineData("--temperature is a number of at least 0, not hot", "ask", "model", "picture", "what ?", "--temperature", "hot")]
    [InlineData("--top-p is a number above 0 and at most 1, not 2", "batch", "model", "--top-p", "2")]
    [InlineData("--seed is a whole number of at least 0, not -1", "batch", "model", "--seed", "-1")]
    [InlineData("--text-positions is a whole number of at least 16, not 15", "batch", "model", "--text-positions", "15")]
    [InlineData("--text-tokens is a whole number of at least 0, not many", "plan", "model", "--text-tokens", "many")]
    [InlineData("--limit is a whole number of at least 0, not -1", "evaluate", "model", "data", "--limit", "-1")]
    [InlineData("'best' not recognized", "evaluate", "model", "data", "--metrics", "best")]
    [InlineData("--budget is a number above 0 and up to 1, not 0", "search", "model", "data", "--budget", "0")]
    [InlineData("--class is a C# identifier, not a b", "search", "model", "data", "--class", "a b")]
    [InlineData("--class is a C# identifier, not class", "calibrate", "vtw", "model", "data", "--class", "class")]
    [InlineData("--samples is a whole number of at least 1, not 0", "calibrate", "vtw", "model", "data", "--samples", "0")]
    [InlineData("--threshold is a number of at least 0, not -1", "calibrate", "vtw", "model", "data", "--threshold", "-1")]
    public async Task ABadValueOfAnOptionIsNamedBeforeAnythingIsRead(string message, params string[] args)
    {
        ToolRun run = await ToolRun.Of(args);
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
    }
}
