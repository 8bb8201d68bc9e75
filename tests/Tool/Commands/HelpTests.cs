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
}
