namespace Espalier.Tests.Reduction;

public sealed class TokenSelectionTests
{
    [Fact]
    public void EqualsASortByScoreThenIndex()
    {
        var random = new Random(11);
        for (int round = 0; round < 500; round++)
        {
            int count = random.Next(1, 700);
            var scores = new float[count];
            for (int i = 0; i < count; i++)
            {
                // Few distinct values, so that ties are common, and every kind of float now and then.
                scores[i] = random.Next(20) switch
                {
                    0 => float.NegativeInfinity,
                    1 => float.PositiveInfinity,
                    2 => 0f,
                    3 => -0f,
                    4 => float.Epsilon,
                    5 => -float.MaxValue,
                    _ => random.Next(-5, 6) / 4f,
                };
            }

            int keep = random.Next(0, count + 1);
            var kept = new int[keep];
            TokenSelection.TopK(scores, kept);
            Assert.Equal(Enumerable.Range(0, count).OrderByDescending(i => scores[i]).ThenBy(i => i).Take(keep).Order(), kept);
        }
    }

    [Theory]
    [InlineData(36, 7, new[] { 1, 5, 8, 10, 21, 26, 29, 31, 33 })]
    [InlineData(16, -3, new[] { 4, 5, 12, 15 })]
    [InlineData(5, 0, new[] { 0, 1, 2, 3, 4 })]
    public void ChanceIsRepeatable(int tokens, int seed, int[] expected)
    {
        // The expected tokens come from a Python program that follows the description of the method.
        var kept = new int[expected.Length];
        TokenSelection.Random(tokens, seed, kept);
        Assert.Equal(expected, kept);
    }

    [Fact]
    public void EveryTokenIsEquallyLikelyToStay()
    {
        const int Seeds = 20_000;
        var counts = new int[10];
        var kept = new int[3];
        for (int seed = 0; seed < Seeds; seed++)
        {
            TokenSelection.Random(counts.Length, seed, kept);
            Assert.True(kept[0] < kept[1] && kept[1] < kept[2] && kept[2] < counts.Length);
            foreach (int token in kept)
            {
                counts[token]++;
            }
        }

        // Five standard deviations of a share of 0.3.
        Assert.All(counts, static count => Assert.Equal(0.3, count / (double)Seeds, 5 * Math.Sqrt(0.3 * 0.7 / Seeds)));
    }

    [Fact]
    public void ChanceCannotKeepMoreThanThereAre() => Assert.Throws<ArgumentException>(static () => TokenSelection.Random(2, 0, new int[3]));

    [Fact]
    public void TiesGoToTheLowerIndex()
    {
        var kept = new int[2];
        TokenSelection.TopK([1f, 3f, 1f, 1f], kept);
        Assert.Equal([0, 1], kept);
    }

    [Fact]
    public void NaNRanksBelowEveryNumber()
    {
        var kept = new int[2];
        TokenSelection.TopK([float.NaN, float.NegativeInfinity, -1f], kept);
        Assert.Equal([1, 2], kept);
    }

    [Fact]
    public void KeepingMoreThanThereAreIsAnError()
    {
        Assert.Throws<ArgumentException>(static () => TokenSelection.TopK([1f], new int[2]));
    }

    [Fact]
    public void AllocatesNothing()
    {
        var scores = new float[576];
        var kept = new int[288];
        Allocation.AssertNone(() => TokenSelection.TopK(scores, kept));
    }
}
