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

    [Fact]
    public void ThePictureShowsEveryRow()
    {
        string picture = File.ReadAllText(RepositoryFolder.Combine("samples", "Shapes", "accuracy.svg"));
        string[][] whole = Rows("<!-- evaluate -->", "<!-- /evaluate -->");
        int cost = Array.FindLastIndex(whole, static row => row[0] == "variant");
        for (int i = 1; i < cost; i++)
        {
            string dot = $">{i} {whole[i][0]}: {whole[i][2]} at {whole[cost + i][2].Replace("≤ ", "", StringComparison.Ordinal)}<".Replace('\u00a0', ' ');
            Assert.True(
                picture.Replace('\u00a0', ' ').Contains(dot, StringComparison.Ordinal),
                $"The picture has no '{dot[1..^1]}'. Run 'dotnet run --project samples/Shapes -c Release -- evaluate --from README.md --picture samples/Shapes/accuracy.svg'.");
        }
    }

    private static string[][] Rows(string begin, string end) =>
    [
        .. Lines[Array.IndexOf(Lines, begin)..Array.IndexOf(Lines, end)]
            .Where(static line => line.StartsWith('|') && !line.StartsWith("|--", StringComparison.Ordinal))
            .Select(static line => line.Trim('|').Split('|').Select(static cell => cell.Trim().Replace('\u00a0', ' ')).ToArray()),
    ];
}
