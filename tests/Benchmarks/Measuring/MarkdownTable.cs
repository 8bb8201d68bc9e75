using System.Text;

namespace Espalier.Benchmarks.Measuring;

/// <summary>A table that reads the same in a terminal and in Markdown. The first column is text, the others are numbers.</summary>
internal sealed class MarkdownTable(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row of as many cells as there are headings.</summary>
    public void Add(params string[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, headings.Length);
        _rows.Add(cells);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        int[] widths = [.. headings.Select((heading, i) => Math.Max(3, _rows.Select(row => row[i].Length).Append(heading.Length).Max()))];
        var text = new StringBuilder();
        Line(text, headings, widths);
        for (int i = 0; i < widths.Length; i++)
        {
            text.Append(i == 0 ? "| " : " | ").Append('-', widths[i] - 1).Append(i == 0 ? '-' : ':');
        }

        text.Append(" |\n");
        foreach (string[] row in _rows)
        {
            Line(text, row, widths);
        }

        return text.ToString();
    }

    private static void Line(StringBuilder text, string[] cells, int[] widths)
    {
        for (int i = 0; i < cells.Length; i++)
        {
            text.Append(i == 0 ? "| " : " | ").Append(i == 0 ? cells[i].PadRight(widths[i]) : cells[i].PadLeft(widths[i]));
        }

        text.Append(" |\n");
    }
}
