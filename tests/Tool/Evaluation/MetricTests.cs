using Espalier.Evaluation;

namespace Espalier.Tests;

public sealed class MetricTests
{
    [Theory]
    [InlineData("exact", "Red ", "red", 1)]
    [InlineData("exact", "reds", "red", 0)]
    [InlineData("relaxed", "104", "100", 1)]
    [InlineData("relaxed", "106", "100", 0)]
    [InlineData("relaxed", "-0.96", "-1", 1)]
    [InlineData("relaxed", "5%", "0.05", 1)]
    [InlineData("relaxed", "0.1", "0", 0)]
    [InlineData("relaxed", "0", "0", 1)]
    [InlineData("relaxed", "1e400", "1e400", 1)]
    [InlineData("relaxed", "two", "TWO", 1)]
    [InlineData("anls", "kitten", "sitting", 1 - (3 / 7.0))]
    [InlineData("anls", "abcd", "abxy", 0)]
    [InlineData("anls", "abcde", "abcxy", 0.6)]
    [InlineData("anls", "", "a", 0)]
    public void AnAnswerIsScoredAsPublished(string metric, string answer, string right, double expected) =>
        Assert.Equal(expected, Metric.Named(metric).Score(answer, [right]), 1e-12);

    [Fact]
    public void TheBestOfSeveralRightAnswersCounts() => Assert.Equal(1, Metric.Anls.Score("b", ["a", "b"]));
}
