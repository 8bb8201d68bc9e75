using System.Globalization;
using System.Text;

namespace Espalier.Evaluation;

/// <summary>A table of a report, before it is known where it is shown.</summary>
/// <param name="Headings">One a column.</param>
/// <param name="LeftAligned">How many columns hold words; the others hold numbers.</param>
/// <param name="Rows">The cells.</param>
internal sealed record ReportTable(IReadOnlyList<string> Headings, int LeftAligned, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>As Markdown; lines end with a line feed.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        Append(text, Headings);
        text.Append('|');
        for (int i = 0; i < Headings.Count; i++)
        {
            text.Append(i < LeftAligned ? "---|" : "---:|");
        }

        text.Append('\n');
        foreach (IReadOnlyList<string> row in Rows)
        {
            Append(text, row);
        }

        return text.ToString();
    }

    /// <summary>In columns, for a terminal or a log; lines end with a line feed.</summary>
    public string ToText()
    {
        int[] widths = [.. Headings.Select((heading, i) => Rows.Select(row => row[i].Length).Append(heading.Length).Max())];
        var text = new StringBuilder();
        foreach (IReadOnlyList<string> row in Rows.Prepend(Headings))
        {
            var line = new StringBuilder();
            for (int i = 0; i < row.Count; i++)
            {
                line.Append(i == 0 ? "" : "   ").Append(i < LeftAligned ? row[i].PadRight(widths[i]) : row[i].PadLeft(widths[i]));
            }

            text.Append(line.ToString().TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A share in percent; a dash for none.</summary>
    public static string Share(double value) => double.IsNaN(value) ? "-" : Number(100 * value, "F1") + " %";

    /// <summary>A number; a dash for none.</summary>
    public static string Number(double value, string format) => double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);

    // Pages are narrow: a number keeps its unit and its sign on its line.
    private static void Append(StringBuilder text, IReadOnlyList<string> cells) => text.Append("| ").AppendJoin(" | ", cells.Select(static cell => cell
        .Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' ').Replace(" %", "\u00a0%", StringComparison.Ordinal).Replace("≤ ", "≤\u00a0", StringComparison.Ordinal))).Append(" |\n");
}
