using System.Text;
using Espalier.Evaluation;

namespace Espalier.Samples.Shapes;

/// <summary>Puts what a report says of a method into the method's page, so that the pages and the whole table never differ.</summary>
internal static class MethodPages
{
    // Pages whose variants are not named as the page in lower case.
    private static readonly Dictionary<string, string[]> Variants = new(StringComparer.Ordinal)
    {
        ["RandomPrune"] = ["random"],
        ["SparsityMeetsSimilarity"] = ["similarity"],
        ["RecoverableCompression"] = ["recoverable"],
        ["FfnSkipLlm"] = ["ffnskip"],
        ["Victor"] = ["victor4", "victor8", "victor16"],
    };

    // The columns of a page, and the table of the report that has them; a heading may come twice in a table.
    private static readonly (string Heading, int Table, int Column)[] Columns =
    [
        ("accuracy", 0, 2), ("visual tokens", 0, 1), ("MFLOPs", 1, 1), ("of dense", 1, 2), ("vision ms", 1, 3), ("prefill ms", 1, 4), ("of dense", 1, 5), ("realised / theory", 1, 6),
    ];

    /// <summary>Writes the rows of each method between the two lines of its page.</summary>
    /// <param name="folder">The pages, one Markdown file a method.</param>
    /// <param name="report">The report, or a file that holds one, as Markdown.</param>
    /// <param name="source">Where the report stands, as messages name it.</param>
    /// <returns>How many pages were written.</returns>
    /// <exception cref="InputException">The folder has no pages, a page has no place for its rows, or the report does not have the tables.</exception>
    public static int Write(string folder, string report, string source)
    {
        IReadOnlyList<Dictionary<string, string[]>> tables = ReportTables.Read(report, source, Columns);

        // All are checked first, so that a page without a place leaves the others as they are.
        string[] pages = Check(folder);
        foreach (string page in pages)
        {
            ReportFile.Write(page, Rows(Path.GetFileNameWithoutExtension(page), tables));
        }

        return pages.Length;
    }

    /// <summary>Says early that rows cannot be written.</summary>
    /// <returns>The pages.</returns>
    /// <exception cref="InputException">The folder has no pages, or a page has no place for its rows.</exception>
    public static string[] Check(string folder)
    {
        string[] pages = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.md") : [];
        if (pages.Length == 0)
        {
            throw new InputException($"{folder}: there are no pages of methods. Name the folder generator/docs/methods of a clone.");
        }

        Array.Sort(pages, StringComparer.Ordinal);
        foreach (string page in pages)
        {
            ReportFile.Check(page);
        }

        return pages;
    }

    private static string Rows(string page, IReadOnlyList<Dictionary<string, string[]>> tables)
    {
        string[] named = Variants.GetValueOrDefault(page) ?? [page.ToLowerInvariant()];
        string[] measured = [.. named.Where(tables[0].ContainsKey)];
        if (measured.Length == 0)
        {
            return "Not measured yet: the method is younger than the table in the [README](../../../README.md).\n";
        }

        var text = new StringBuilder("| variant |").AppendJoin(" |", Columns.Select(static column => " " + column.Heading)).Append(" |\n|---|---:|---|")
            .AppendJoin("", Enumerable.Repeat("---:|", Columns.Length - 2)).Append('\n');
        foreach (string variant in measured.Prepend("dense"))
        {
            text.Append("| ").Append(variant).Append(" |").AppendJoin(" |", Columns.Select(column => " " + tables[column.Table][variant][column.Column])).Append(" |\n");
        }

        return text.Append("\nThe [README](../../../README.md) has the whole table, what its columns mean, and the machine.\n").ToString();
    }
}
