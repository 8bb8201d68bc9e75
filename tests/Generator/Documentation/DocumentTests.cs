using System.Text.RegularExpressions;

namespace Espalier.Tests;

/// <summary>What the documents show and name exists. Code blocks that follow a line <c>&lt;!-- from path --&gt;</c> stand in that file: it was compiled, and if generated, reviewed.</summary>
public sealed partial class DocumentTests
{
    private static readonly string Root = RepositoryFolder.Root;

    public static TheoryData<string, string, string> Blocks()
    {
        var blocks = new TheoryData<string, string, string>();
        foreach (string document in Paths)
        {
            foreach (Match match in Quotation().Matches(File.ReadAllText(Path.Combine(Root, document))))
            {
                blocks.Add(document, match.Groups["path"].Value, match.Groups["code"].Value);
            }
        }

        return blocks;
    }

    /// <summary>Every Markdown file of the repository, whether or not it names anything.</summary>
    public static TheoryData<string> Documents() => [.. Paths];

    internal static string[] Paths => [.. Markdown(Root).Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void QuotedBlockStandsInItsFile(string document, string path, string code)
    {
        string file = Path.Combine(Root, path);
        Assert.True(File.Exists(file), $"{document} quotes {path}, which does not exist.");
        Assert.True(Quotes(File.ReadAllLines(file), code.Split('\n')), $"{document} quotes lines that {path} does not have:\n{code}");
    }

    [Fact]
    public void ReadmeQuotesTheDeclarationAndTheLoop()
    {
        string[] paths = [.. Blocks().Where(row => (string)row[0] == "README.md").Select(row => (string)row[1])];
        Assert.Contains(paths, path => path.StartsWith("samples/", StringComparison.Ordinal));
        Assert.Contains(paths, path => path.EndsWith(".verified.cs", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void NamedPathsExist(string document)
    {
        string text = File.ReadAllText(Path.Combine(Root, document));
        string folder = Path.GetDirectoryName(Path.Combine(Root, document))!;
        List<string> named =
        [
            .. LinkedPath().Matches(text).Select(match => match.Groups["path"].Value).Select(path => path.StartsWith('#') ? Path.Combine(Root, document) + path : Path.Combine(folder, path)),
            .. TopLevelPath().Matches(text).Select(match => Path.Combine(Root, match.Value)),
        ];
        Assert.All(named, path => Assert.True(Exists(path), $"{document} names {path}, which does not exist."));
    }

    [Fact]
    public void AllDocumentsAreLookedAt()
    {
        Assert.Superset(new HashSet<string> { "README.md", "CONTRIBUTING.md", "samples/training/README.md", "generator/docs/diagnostics/ESP0001.md" }, Paths.ToHashSet());
        Assert.DoesNotContain(Paths, document => document.Contains("/bin/", StringComparison.Ordinal) || document.Contains("/obj/", StringComparison.Ordinal));
    }

    [Fact]
    public void IndentationMayDifferAndNothingElse()
    {
        string[] file = ["class C", "{", "    int a;", "", "        int b;", "}"];
        Assert.True(Quotes(file, ["int a;", "", "    int b;"]));
        Assert.True(Quotes(file, ["class C", "{"]));
        Assert.False(Quotes(file, ["int a;", "int b;"]));
        Assert.False(Quotes(file, ["int a;", "", "int b;"]));
        Assert.False(Quotes(file, ["int c;"]));
        Assert.False(Quotes(file, ["}", "class C"]));
    }

    /// <summary>A file or folder, and where a link goes on with #, its heading of that name.</summary>
    private static bool Exists(string link)
    {
        string[] parts = link.Split('#');
        return Path.Exists(parts[0]) && (parts.Length == 1 || File.ReadLines(parts[0])
            .Where(static line => line.StartsWith('#'))
            .Any(line => line.TrimStart('#').Trim().ToLowerInvariant().Replace(' ', '-') == parts[1]));
    }

    // Without what builds and tests leave, and without hidden folders.
    private static IEnumerable<string> Markdown(string folder) => Directory.EnumerateFiles(folder, "*.md").Concat(
        Directory.EnumerateDirectories(folder)
            .Where(child => Path.GetFileName(child) is not ("bin" or "obj" or "artifacts" or "node_modules" or "TestResults") && !Path.GetFileName(child).StartsWith('.'))
            .SelectMany(Markdown));

    // A run of the file's lines, less the indentation of its first line.
    private static bool Quotes(string[] file, string[] code)
    {
        for (int start = 0; start + code.Length <= file.Length; start++)
        {
            string first = file[start];
            string indentation = first[..^first.TrimStart(' ').Length];
            bool equal = true;
            for (int i = 0; i < code.Length && equal; i++)
            {
                equal = file[start + i].TrimEnd() == (code[i].Length == 0 ? "" : indentation + code[i]);
            }

            if (equal)
            {
                return true;
            }
        }

        return false;
    }

    [GeneratedRegex("""^<!-- from (?<path>.+) -->\n```\w*\n(?<code>(?:.*\n)*?.*)\n```$""", RegexOptions.Multiline)]
    private static partial Regex Quotation();

    [GeneratedRegex("""\]\((?!https?:)(?<path>[^)]+)\)""")]
    private static partial Regex LinkedPath();

    // Alone between back-quotes, so without placeholders and command lines.
    [GeneratedRegex("""(?<=`)(attributes|generator|runtime|samples|tests)/[\w./-]*(?=`)""")]
    private static partial Regex TopLevelPath();
}
