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

    [Fact]
    public void LongNamesFitThePictures()
    {
        string name = "[SparsityMeetsSimilarity(" + new string('x', 200) + ")]";
        XElement root = XDocument.Parse(ScoreChart.Draw([("dense", 1, 1), (name, 0.5, 0.9)], "exact")).Root!;
        Assert.InRange((double)root.Attribute("width")!, 1500, 2000);
    }

    /// <summary>Where dots crowd, a number stands away from its own, and a line leads to it.</summary>
    [Theory]
    [InlineData(0.1, 0)]
    [InlineData(0.001, 8)]
    public void NumbersAreLedToTheirDots(double apart, int least)
    {
        string picture = ScoreChart.Draw([.. Enumerable.Range(0, 14).Select(i => ("n" + i, 0.3 + (apart * (i % 7)), 0.5 + (apart * (i / 7))))], "exact");
        Assert.InRange(picture.Split(Svg.Leader).Length - 1, least, least == 0 ? 0 : 14);
    }
}
