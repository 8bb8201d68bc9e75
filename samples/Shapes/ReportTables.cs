using System.Globalization;
using Espalier.Evaluation;

namespace Espalier.Samples.Shapes;

/// <summary>The tables of a report, read again from its Markdown.</summary>
internal static class ReportTables
{
    /// <summary>The tables of accuracy and of cost, each by the first cell of its rows; the headings are a row too.</summary>
    /// <param name="report">The report, or a file that holds one, as Markdown.</param>
    /// <param name="source">Where the report stands, as messages name it.</param>
    /// <param name="columns">The columns that will be read: the heading, the table, the place in its rows.</param>
    /// <exception cref="InputException">It has not these tables.</exception>
    public static IReadOnlyList<Dictionary<string, string[]>> Read(string report, string source, params IReadOnlyList<(string Heading, int Table, int Column)> columns)
    {
        List<Dictionary<string, string[]>> tables = Tables(Between(report));
        return tables.Count == 2 && tables[0].ContainsKey("dense") && columns.All(column => tables[column.Table].GetValueOrDefault("variant")?.ElementAtOrDefault(column.Column) == column.Heading)
            ? tables
            : throw new InputException($"{source}: this is not the report of all variants, with the tables of accuracy and of cost. Write it by 'evaluate --output {source}'.");
    }

    /// <summary>Accuracy against operations, drawn from a report: the picture that the evaluation drew, up to what the tables round.</summary>
    /// <param name="report">The report, or a file that holds one, as Markdown.</param>
    /// <param name="source">Where the report stands, as messages name it.</param>
    /// <exception cref="InputException">It has not these tables.</exception>
    public static string Picture(string report, string source)
    {
        IReadOnlyList<Dictionary<string, string[]>> tables = Read(report, source, ("accuracy", 0, 2), ("of dense", 1, 2));
        double Share(int table, string variant) => tables[table].TryGetValue(variant, out string[]? cells) && cells.Length > 2
            && double.TryParse(cells[2].AsSpan().TrimStart("\u2264 \u00a0").TrimEnd("% \u00a0"), CultureInfo.InvariantCulture, out double percent)
            ? percent / 100
            : throw new InputException($"{source}: the tables do not say of '{variant}' what it gets right and what it costs. Write them by 'evaluate --output {source}'.");
        return ScoreChart.Draw([.. tables[0].Keys.Where(static name => name != "variant" && !name.StartsWith('-')).Select(name => (name, Share(1, name), Share(0, name)))], Metric.Exact.Heading);
    }

    /// <summary>What lies between the two lines of a file that has them; the whole text of another.</summary>
    private static string Between(string text)
    {
        int begin = text.IndexOf(ReportFile.Begin + "\n", StringComparison.Ordinal);
        int end = begin < 0 ? -1 : text.IndexOf(ReportFile.End, begin, StringComparison.Ordinal);
        return end < 0 ? text : text[begin..end];
    }

    /// <summary>The Markdown tables of the report, each by the first cell of its rows; the headings are a row too.</summary>
    private static List<Dictionary<string, string[]>> Tables(string report)
    {
        var tables = new List<Dictionary<string, string[]>>();
        bool inside = false;
        foreach (string line in report.Split('\n'))
        {
            bool isRow = line.StartsWith('|');
            if (isRow)
            {
                string[] cells = [.. line.Trim('|').Split('|').Select(static cell => cell.Trim())];
                if (!inside)
                {
                    tables.Add(new Dictionary<string, string[]>(StringComparer.Ordinal));
                }

                tables[^1].TryAdd(cells[0], cells);
            }

            inside = isRow;
        }

        return tables;
    }
}
