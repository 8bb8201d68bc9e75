using System.Text.RegularExpressions;

namespace Espalier.Tests;

/// <summary>The nine points in which FiCoCo's paper and code contradict each other: both pages tell each of them, and name the tests that hold what was decided.</summary>
public sealed partial class FiCoCoPageTests
{
    private static readonly string[] Headings = ["", "Point", "The paper", "The code", "Here", "Held by"];

    public static TheoryData<string> Pages => ["FiCoCoV.md", "FiCoCoL.md"];

    [Theory]
    [MemberData(nameof(Pages))]
    public void EveryPointIsDecidedAndHeldByATest(string page)
    {
        string[][] rows =
        [
            .. File.ReadLines(RepositoryFolder.Combine("generator", "docs", "methods", page))
                .SkipWhile(static line => line != "## Where paper and code contradict each other").Skip(1)
                .TakeWhile(static line => !line.StartsWith("## ", StringComparison.Ordinal))
                .Where(static line => line.StartsWith('|'))
                .Select(static line => line[1..^1].Split('|', StringSplitOptions.TrimEntries)),
        ];
        Assert.Equal(Headings, rows[0]);
        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8", "9"], rows.Skip(2).Select(static row => row[0]));
        foreach (string[] row in rows.Skip(2))
        {
            Assert.Equal(Headings.Length, row.Length);
            Assert.All(row, cell => Assert.True(cell.Length > 0, $"{page} says nothing in a cell of point {row[0]}."));
            MatchCollection tests = TestName().Matches(row[^1]);
            Assert.True(tests.Count > 0, $"{page} names no test for point {row[0]}.");
            Assert.Equal(row[^1], string.Join(", ", tests.Select(static test => test.Value)));
            Assert.All(tests, test => Assert.True(Exists(test.Groups["class"].Value, test.Groups["method"].Value), $"{page} names the test {test.Value} for point {row[0]}, which does not exist."));
        }
    }

    [Fact]
    public void ATestThatDoesNotExistIsNoticed()
    {
        Assert.True(Exists(nameof(FiCoCoPageTests), nameof(ATestThatDoesNotExistIsNoticed)));
        Assert.False(Exists(nameof(FiCoCoPageTests), nameof(Exists)));
        Assert.False(Exists("NoSuchTests", nameof(ATestThatDoesNotExistIsNoticed)));
    }

    /// <summary>A fact or theory of that name in the file of that class, in any of the test projects.</summary>
    private static bool Exists(string type, string method) => Directory
        .EnumerateFiles(RepositoryFolder.Combine("tests"), type + ".cs", SearchOption.AllDirectories)
        .Any(file => Regex.IsMatch(File.ReadAllText(file), $@"\[(?:Fact|Theory)\](?:\s*\[[^\n]*\])*\s*public (?:async )?(?:void|Task) {Regex.Escape(method)}\("));

    [GeneratedRegex("`(?<class>[A-Za-z]+Tests)\\.(?<method>[A-Za-z0-9]+)`")]
    private static partial Regex TestName();
}
