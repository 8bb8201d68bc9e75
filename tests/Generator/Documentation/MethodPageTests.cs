namespace Espalier.Tests;

/// <summary>What a method's page says was measured is what the README's table says.</summary>
public sealed class MethodPageTests
{
    private const string Begin = "<!-- evaluate -->\n";
    private const string Remedy = "Run 'dotnet run --project samples/Shapes -c Release -- evaluate --from README.md --pages generator/docs/methods'.";

    // Variants of several methods or of none, which have no page of their own.
    private static readonly string[] WithoutPage = ["dense", "pruned", "quick"];

    // A page's column, and the README's table and column that it repeats.
    private static readonly (int Table, int Column)[] Columns = [(0, 0), (0, 2), (0, 1), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6)];

    private static string[] Names { get; } = [.. Directory.GetFiles(RepositoryFolder.Combine("generator", "docs", "methods"), "*.md").Select(static file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Pages() => [.. Names];

    [Theory]
    [MemberData(nameof(Pages))]
    public void APageSaysWhatTheReadmeSays(string page)
    {
        string[][] rows = Rows(RepositoryFolder.Combine("generator", "docs", "methods", page));
        string section = Section(RepositoryFolder.Combine("generator", "docs", "methods", page));
        if (section.StartsWith("Not measured yet", StringComparison.Ordinal))
        {
            string[] named = page == "Victor.md" ? ["victor4"] : [Path.GetFileNameWithoutExtension(page).ToLowerInvariant()];
            Assert.False(Readme[0].Any(row => named.Contains(row[0])), $"{page} says that nothing was measured, but the README has a row. {Remedy}");
            return;
        }

        Assert.True(rows.Length >= 3 && rows[1][0] == "dense", $"{page} has no rows of the README's table. {Remedy}");
        Assert.All(rows, row => Assert.True(
            row.SequenceEqual(Columns.Select(column => Readme[column.Table].Single(other => other[0] == row[0])[column.Column])), $"{page} says of '{row[0]}' something else than the README. {Remedy}"));
    }

    [Fact]
    public void EveryMeasuredVariantHasAPage()
    {
        string[] told = [.. Names.SelectMany(static page => Rows(RepositoryFolder.Combine("generator", "docs", "methods", page))).Select(static row => row[0]).Where(static name => name is not ("variant" or "dense"))];
        Assert.Equal(Readme[0].Skip(1).Select(static row => row[0]).Except(WithoutPage).Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));
    }

    private static string[][][] Readme { get; } = Tables(Section(RepositoryFolder.Combine("README.md")));

    private static string[][] Rows(string file) => Tables(Section(file)).FirstOrDefault() ?? [];

    private static string Section(string file)
    {
        string text = File.ReadAllText(file);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal);
        Assert.True(begin >= 0, $"{file} has no lines <!-- evaluate --> and <!-- /evaluate --> for what was measured. Add them under a heading, and then: {Remedy}");
        return text[(begin + Begin.Length)..text.IndexOf("<!-- /evaluate -->", begin, StringComparison.Ordinal)];
    }

    /// <summary>The rows of each table, the headings first, without the line of dashes.</summary>
    private static string[][][] Tables(string text) =>
    [
        .. text.Split("\n\n")
            .Select(static block => block.Split('\n').Where(static line => line.StartsWith('|') && !line.StartsWith("|-", StringComparison.Ordinal)).Select(static line => line.Trim('|').Split('|').Select(static cell => cell.Trim()).ToArray()).ToArray())
            .Where(static rows => rows.Length > 0),
    ];
}
