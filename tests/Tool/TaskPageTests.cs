using Espalier.Tool;

namespace Espalier.Tests;

/// <summary>The commands of the task pages, at the root of the repository.</summary>
public sealed class TaskPageTests
{
    [Theory]
    [InlineData("plan.md")]
    [InlineData("evaluate.md")]
    [InlineData("calibrate.md")]
    [InlineData("choose-a-policy.md")]
    [InlineData("read-the-loop.md")]
    [InlineData("batch.md")]
    public async Task EveryCommandRunsAndPrintsWhatIsShown(string page)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var folder = new TemporaryFolder();
        Directory.CreateSymbolicLink(folder["samples"], RepositoryFolder.Combine("samples"));
        Directory.CreateDirectory(folder["path"]);
        File.WriteAllText(folder["path/espalier"], $"#!/bin/sh\nexec \"{Environment.ProcessPath}\" \"{typeof(ToolCommands).Assembly.Location}\" \"$@\"\n");
        File.SetUnixFileMode(folder["path/espalier"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.InRange(await DocumentedCommands.Run(page, folder.Path, new Dictionary<string, string?>()), 1, 100);
    }
}
