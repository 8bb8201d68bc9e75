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
        TokenSelection.TopK(scores, kept);
        long before = GC.GetAllocatedBytesForCurrentThread();
        TokenSelection.TopK(scores, kept);
        long after = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(0, after - before);
    }
}
