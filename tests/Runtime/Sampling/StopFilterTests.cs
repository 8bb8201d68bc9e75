namespace Espalier.Tests.Sampling;

/// <summary>Stop sequences in text that arrives in pieces.</summary>
public class StopFilterTests
{
    [Theory]
    [InlineData("abcdef", "cd", "ab")]
    [InlineData("abcdef", "xy", "abcdef")]
    [InlineData("abcdef", "fg", "abcdef")]
    [InlineData("abcdef", "a", "")]
    [InlineData("aaab", "aab", "a")]
    [InlineData("ababac", "abac", "ab")]
    [InlineData("one\n\ntwo", "\n\n", "one")]
    [InlineData("abcdef", "def|bc", "a")]
    [InlineData("abcdef", "cde|cdx", "ab")]
    [InlineData("abab", "aba|abab", "")]
    public void TheTextEndsInFrontOfTheFirstStopHoweverItArrives(string text, string stops, string expected)
    {
        // Every way to cut the text into pieces.
        for (int cuts = 0; cuts < 1 << (text.Length - 1); cuts++)
        {
            var filter = new StopFilter(stops.Split('|'));
            string given = "";
            int start = 0;
            for (int i = 1; i <= text.Length && !filter.Found; i++)
            {
                if (i == text.Length || (cuts & (1 << (i - 1))) != 0)
                {
                    given += filter.Append(text.AsSpan(start, i - start));
                    start = i;
                }
            }

            given += filter.Flush();
            Assert.Equal(expected, given);
            Assert.Equal(expected.Length < text.Length, filter.Found);
        }
    }

    [Fact]
    public void NothingIsGivenBehindAStop()
    {
        var filter = new StopFilter(["."]);
        Assert.Equal("a", filter.Append("a.b"));
        Assert.Equal("", filter.Append("c"));
        Assert.Equal("", filter.Flush());
    }

    [Fact]
    public void StopSequencesAreChecked()
    {
        Assert.Throws<ArgumentException>(() => new AnswerOptions { StopSequences = [""] });
        Assert.Throws<ArgumentException>(() => new AnswerOptions { StopSequences = [new string('x', 257)] });
        Assert.Throws<ArgumentException>(() => new AnswerOptions { StopSequences = [.. Enumerable.Repeat("x", 17)] });
        Assert.Throws<ArgumentNullException>(() => new AnswerOptions { StopSequences = null! });
        List<string> list = ["x"];
        var options = new AnswerOptions { StopSequences = list };
        list.Add("");
        Assert.Equal(["x"], options.StopSequences);
    }
}
