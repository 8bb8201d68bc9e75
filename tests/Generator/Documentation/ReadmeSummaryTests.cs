namespace Espalier.Tests;

/// <summary>The README's short table says of each variant what its whole tables and its class say.</summary>
public sealed class ReadmeSummaryTests
{
    private static readonly string[] Lines = File.ReadAllLines(RepositoryFolder.Combine("README.md"));

    [Fact]
    public void EveryRowIsOneOfTheWholeTables()
    {
        string[][] summary = Rows("<!-- summary -->", "<!-- /summary -->");
        string[][] whole = Rows("<!-- evaluate -->", "<!-- /evaluate -->");
        int cost = Array.FindLastIndex(whole, static row => row[0] == "variant");
        string[] declarations = [.. Directory.GetFiles(RepositoryFolder.Combine("samples", "Shapes", "Variants"), "*.cs").Select(File.ReadAllText)];
        Assert.InRange(summary.Length, 5, 12);
        foreach (string[] row in summary.Skip(1))
        {
            string[] accuracy = Assert.Single(whole[..cost], one => one[0] == row[0]);
            string[] time = Assert.Single(whole[cost..], one => one[0] == row[0]);
            Assert.Equal([accuracy[1], accuracy[2], time[2], time[5]], row[2..]);
            string declared = "[VisionLanguageModel(\"shapes\")]\n" + row[1].Replace("` `", "\n", StringComparison.Ordinal).Replace("`", "", StringComparison.Ordinal).TrimEnd() + "\npublic sealed";
            Assert.Contains(declarations, text => text.Contains(declared.Replace("\n\n", "\n", StringComparison.Ordinal), StringComparison.Ordinal));
        }
    }

    private static string[][] Rows(string begin, string end) =>
    [
        .. Lines[Array.IndexOf(Lines, begin)..Array.IndexOf(Lines, end)]
            .Where(static line => line.StartsWith('|') && !line.StartsWith("|--", StringComparison.Ordinal))
            .Select(static line => line.Trim('|').Split('|').Select(static cell => cell.Trim().Replace('\u00a0', ' ')).ToArray()),
    ];
}
