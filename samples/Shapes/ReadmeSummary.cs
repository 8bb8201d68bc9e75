using Espalier.Evaluation;

namespace Espalier.Samples.Shapes;

/// <summary>The short table of a page that also has the whole report: some variants, with how they are declared. Its numbers are those of the report.</summary>
internal static class ReadmeSummary
{
    private const string Begin = "<!-- summary -->\n";
    private const string End = "<!-- /summary -->\n";

    // Behind the variant and its declaration.
    private static readonly (string Heading, int Table, int Column)[] Columns = [("visual tokens", 0, 1), ("accuracy", 0, 2), ("of dense", 1, 2), ("of dense", 1, 5)];

    /// <summary>Writes the numbers of the report that the file holds into its short table; a file that has none is left as it is.</summary>
    /// <exception cref="InputException">The file holds no report of all variants, or a row of the short table is none of it.</exception>
    public static void Write(string path)
    {
        string text = File.ReadAllText(path);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        int end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < Begin.Length || end < begin)
        {
            return;
        }

        IReadOnlyList<Dictionary<string, string[]>> tables = ReportTables.Read(text, path, Columns);
        string[] lines = text[begin..end].TrimEnd('\n').Split('\n');
        for (int i = 2; i < lines.Length; i++)
        {
            string[] cells = lines[i].Trim('|').Split('|');
            string variant = cells[0].Trim();
            if (!tables[0].ContainsKey(variant))
            {
                throw new InputException($"{path}: the short table has a row '{variant}', which is none of the report. Take it out, or evaluate all variants.");
            }

            lines[i] = $"|{cells[0]}|{cells[1]}|{string.Join('|', Columns.Select(column => $" {tables[column.Table][variant][column.Column]} "))}|";
        }

        File.WriteAllText(path, $"{text[..begin]}{string.Join('\n', lines)}\n{text[end..]}");
    }
}
