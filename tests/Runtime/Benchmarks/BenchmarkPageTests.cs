using System.CommandLine;
using Espalier.Benchmarks;

namespace Espalier.Tests.Benchmarks;

/// <summary>The command lines of tests/Benchmarks/README.md, which take hours, are command lines of the program.</summary>
public sealed class BenchmarkPageTests
{
    public static TheoryData<string> Lines => [.. DocumentedCommands.Blocks("tests/Benchmarks/README.md")
        .SelectMany(static block => block.Lines)
        .Where(static line => line.StartsWith("bench ", StringComparison.Ordinal))
        .Select(static line => line.Split(" #")[0].Trim())];

    [Theory]
    [MemberData(nameof(Lines))]
    public void EveryLineIsUnderstood(string line)
    {
        ParseResult parsed = BenchmarkCommands.Create().Parse(line["bench ".Length..]);
        Assert.Empty(parsed.Errors.Select(static error => error.Message));
    }

    [Fact]
    public void AnUnknownOptionIsNot() => Assert.NotEmpty(BenchmarkCommands.Create().Parse("frozen /tmp/model --speed 11").Errors);
}
