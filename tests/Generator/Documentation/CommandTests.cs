using System.Text.RegularExpressions;

namespace Espalier.Tests;

/// <summary>Blocks that are not C#: each is run by a test, or, where that takes hours, another machine or this very test run, its words are held to what they name.</summary>
public sealed partial class CommandTests
{
    /// <summary>Documents whose commands are run, and where.</summary>
    private static readonly Dictionary<string, string> Run = new()
    {
        ["README.md"] = "tests/Tool/TaskPageTests.cs",
        ["generator/docs/batch.md"] = "tests/Tool/BatchPageTests.cs",
        ["generator/docs/calibrate.md"] = "tests/Tool/TaskPageTests.cs",
        ["generator/docs/choose-a-policy.md"] = "tests/Tool/TaskPageTests.cs",
        ["generator/docs/evaluate.md"] = "tests/Tool/TaskPageTests.cs",
        ["generator/docs/methods/RedundancyLens.md"] = "tests/Tool/MethodPageTests.cs",
        ["generator/docs/methods/Yopo.md"] = "tests/Tool/MethodPageTests.cs",
        ["generator/docs/native.md"] = "tests/Packages/NativePageTests.cs",
        ["generator/docs/plan.md"] = "tests/Tool/TaskPageTests.cs",
        ["generator/docs/read-the-loop.md"] = "tests/Tool/TaskPageTests.cs",
        ["generator/docs/serve.md"] = "tests/ChatServer/DocumentationTests.cs",
        ["runtime/Espalier.Imaging/PACKAGE.md"] = "tests/Packages/PackagePageTests.cs",
        ["runtime/Espalier.Runtime/PACKAGE.md"] = "tests/Packages/PackagePageTests.cs",
        ["runtime/Espalier.Templates/PACKAGE.md"] = "tests/Packages/PackagePageTests.cs",
        ["runtime/Espalier.Tool/PACKAGE.md"] = "tests/Packages/PackagePageTests.cs",
    };

    /// <summary>Documents whose commands are read.</summary>
    private static readonly string[] Read =
    [
        "CONTRIBUTING.md", "generator/docs/cuda.md", "generator/docs/devices.md", "samples/README.md", "samples/models/shapes/README.md", "samples/training/README.md", "tests/Benchmarks/README.md", "tests/reference/README.md",
    ];

    public static TheoryData<string> ReadDocuments => [.. Read];

    [Fact]
    public void EveryDocumentWithCommandsIsRunOrRead()
    {
        IEnumerable<string> documents = DocumentTests.Paths
            .Where(static document => DocumentedCommands.Blocks(document).Any(static block => block.Language is "sh" or "console" or "python" or "yaml"))
            .Concat(Run.Keys.Where(static document => document.EndsWith("PACKAGE.md", StringComparison.Ordinal)))
            .Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(Run.Keys.Concat(Read).Order(StringComparer.Ordinal), documents);
    }

    [Fact]
    public void TheTestsThatRunThemNameThem() => Assert.All(Run, static run =>
    {
        string test = File.ReadAllText(RepositoryFolder.Combine(run.Value));
        Assert.True(test.Contains(run.Key, StringComparison.Ordinal) || test.Contains(Path.GetFileName(run.Key), StringComparison.Ordinal), $"{run.Value} does not run {run.Key}.");
    });

    [Theory]
    [MemberData(nameof(ReadDocuments))]
    public async Task WordsNameWhatIsThere(string document)
    {
        foreach ((string language, string[] lines) in DocumentedCommands.Blocks(document))
        {
            if (language != "sh")
            {
                continue;
            }

            string block = string.Join('\n', lines);
            if (!OperatingSystem.IsWindows())
            {
                ChildProcess syntax = await ChildProcess.Run("bash", RepositoryFolder.Root, new Dictionary<string, string?>(), "-n", "-c", block);
                Assert.True(syntax.ExitCode == 0, syntax.Errors);
            }

            // Where the reader is: at the root, or in the document's folder, or where the block goes.
            string folder = RepositoryFolder.Combine(Path.GetDirectoryName(document)!);
            string[] folders = [RepositoryFolder.Root, folder, .. Directory().Matches(block).Select(static match => RepositoryFolder.Combine(match.Groups[1].Value))];
            string Find(string path) => folders.Select(at => Path.Combine(at, path)).FirstOrDefault(Path.Exists) ?? throw new FileNotFoundException($"{document} names {path}.");
            foreach (string line in lines.Select(static line => line.Split(" #")[0]))
            {
                Assert.All(Project().Matches(line), match => Find(match.Groups[1].Value));
                Assert.All(Script().Matches(line), match => Find(match.Value));
                foreach (Match python in Python().Matches(line))
                {
                    string script = File.ReadAllText(Find(python.Groups[1].Value));
                    Assert.All(Option().Matches(python.Groups[2].Value), option => Assert.Contains($"\"{option.Value}\"", script, StringComparison.Ordinal));
                }

                foreach (Match filter in Filter().Matches(line))
                {
                    Assert.NotEmpty(System.IO.Directory.EnumerateFiles(Find(Project().Match(line).Groups[1].Value), filter.Groups[1].Value + ".cs", SearchOption.AllDirectories));
                }

                foreach (Match accepted in Accepted().Matches(line))
                {
                    Assert.Equal(accepted.Groups[1].Value, accepted.Groups[2].Value);
                    Find(accepted.Groups[2].Value + ".verified.cs");
                }
            }
        }
    }

    [GeneratedRegex(@"^cd (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Directory();

    [GeneratedRegex(@"(?:dotnet (?:test|build|pack|publish)|--project) ([\w.][\w./-]*)")]
    private static partial Regex Project();

    [GeneratedRegex(@"^(?:tests/[\w/]+|\.ci/\w+)")]
    private static partial Regex Script();

    [GeneratedRegex(@"python3 (\S+\.py)([^;&]*)")]
    private static partial Regex Python();

    [GeneratedRegex(@"--[a-z-]+")]
    private static partial Regex Option();

    [GeneratedRegex(@"--filter (\w+)")]
    private static partial Regex Filter();

    [GeneratedRegex(@"^mv ""(.+)\.received\.cs"" ""(.+)\.verified\.cs""$")]
    private static partial Regex Accepted();
}
