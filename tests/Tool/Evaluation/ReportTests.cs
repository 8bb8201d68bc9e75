using System.Xml.Linq;
using Espalier.Evaluation;

namespace Espalier.Tests;

public sealed class ReportTests
{
    [Fact]
    public void APictureHoldsAnyWords()
    {
        var svg = new Svg(10, 10, "a < b & \"c\"\u0001");
        svg.Words(1, 2, "[PruneVisual<A>(Keep = 1)]\u0000");
        XElement root = XDocument.Parse(svg.ToString()).Root!;
        Assert.Equal("a < b & \"c\" ", root.Elements().First().Value);
        Assert.Equal("[PruneVisual<A>(Keep = 1)] ", root.Elements().Last().Value);
    }

    [Fact]
    public void ATableIsTheSameInMarkdownAndText()
    {
        var table = new ReportTable(["name", "n"], 1, [["a|b", "1"], ["c", "10"]]);
        Assert.Equal("| name | n |\n|---|---:|\n| a\\|b | 1 |\n| c | 10 |\n", table.ToMarkdown());
        Assert.Equal("name    n\na|b     1\nc      10\n", table.ToText());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void AScorePictureTakesTheExtremes(double score) =>
        Assert.DoesNotContain("NaN", ScoreChart.Draw([("dense", 1, score), ("other", 0.5, score)], "exact"), StringComparison.Ordinal);
}
