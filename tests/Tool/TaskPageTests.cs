namespace Espalier.Tests;

/// <summary>The commands of the task pages, at the root of the repository.</summary>
public sealed class TaskPageTests
{
    [PosixTheory]
    [InlineData("generator/docs/plan.md")]
    [InlineData("generator/docs/evaluate.md")]
    [InlineData("generator/docs/calibrate.md")]
    [InlineData("generator/docs/choose-a-policy.md")]
    [InlineData("generator/docs/read-the-loop.md")]
    [InlineData("generator/docs/batch.md")]
    public async Task EveryCommandRunsAndPrintsWhatIsShown(string page)
    {
        using var folder = new ReadersFolder();
        Assert.InRange(await folder.Run(page), 1, 100);
    }

    /// <summary>The README shows times, which are another's on another machine; its first command is also the last step of .ci/run.</summary>
    [PosixFact]
    public async Task TheReadmesCommandsRun()
    {
        using var folder = new ReadersFolder();
        Assert.Equal(1, await folder.Run("README.md", static command => command.StartsWith("espalier", StringComparison.Ordinal)));
        Assert.True(File.Exists(folder["plan.svg"]));
    }

    /// <summary>Without the evaluation of all variants, which takes minutes, and what publishes native programs, which tests/Aot does.</summary>
    [PosixFact]
    public async Task TheSampleProgramsCommandsRun()
    {
        using var folder = new ReadersFolder();
        string[] lines = [.. DocumentedCommands.Blocks("samples/README.md").First().Lines.Where(static line => !line.Contains("-- evaluate", StringComparison.Ordinal))];
        Assert.Equal(3, lines.Length);
        ChildProcess shell = await ChildProcess.Run(
            "bash", folder.Root, new Dictionary<string, string?> { ["PATH"] = folder["path"] + ":" + Environment.GetEnvironmentVariable("PATH") }, "-euc", string.Join('\n', lines));
        Assert.True(shell.ExitCode == 0, shell.Output + shell.Errors);
        Assert.StartsWith("red\n", shell.Output, StringComparison.Ordinal);
    }
}
