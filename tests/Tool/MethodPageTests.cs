using System.CommandLine;
using Espalier.CommandLine;
using Espalier.Tool;

namespace Espalier.Tests;

/// <summary>The commands of the methods' pages are understood by the tool. What they do, the tests of the commands ask.</summary>
public sealed class MethodPageTests
{
    [Theory]
    [InlineData("generator/docs/methods/RedundancyLens.md")]
    [InlineData("generator/docs/methods/Yopo.md")]
    public void EveryCommandIsUnderstood(string page)
    {
        RootCommand commands = ToolCommands.Create(new Terminal(TextWriter.Null, TextWriter.Null, isWatched: false), static () => Stream.Null);
        string[] lines = [.. DocumentedCommands.Blocks(page).Where(static block => block.Language == "sh").SelectMany(static block => block.Lines)];
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
        {
            Assert.StartsWith(ToolCommands.Program + " ", line, StringComparison.Ordinal);
            Assert.Empty(commands.Parse(line[(ToolCommands.Program.Length + 1)..]).Errors.Select(static error => error.Message));
        });
    }
}
