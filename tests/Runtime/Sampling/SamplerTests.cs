namespace Espalier.Tests.Sampling;

public sealed class SamplerTests
{
    [Fact]
    public void GreedyTakesTheFirstOfTheLargest()
    {
        Assert.Equal(1, new Sampler(4).Next([0f, 2f, 2f, 1f], new AnswerOptions()));
    }

    [Theory]
    [InlineData(new[] { 9f, 1f, 2f, 2f }, 0, 2)]
    [InlineData(new[] { 2f, 9f, 2f, 1f }, 1, 0)]
    [InlineData(new[] { 1f, 2f, 9f, 3f }, 2, 3)]
    [InlineData(new[] { 1f, 2f, 0f, 9f }, 3, 1)]
    [InlineData(new[] { 1f, 9f, 0f, 3f }, 3, 1)]
    [InlineData(new[] { 1f, 2f, 0f, 9f }, 7, 3)]
    public void AForbiddenTokenIsNeverChosen(float[] logits, int never, int greedy)
    {
        var sampler = new Sampler(logits.Length, never);
        Assert.Equal(greedy, sampler.Next(logits, new AnswerOptions()));
        var drawn = new HashSet<int>();
        for (int i = 0; i < 500; i++)
        {
            drawn.Add(sampler.Next(logits, new AnswerOptions { Temperature = 20f }));
        }

        Assert.Equal(Enumerable.Range(0, logits.Length).Where(id => id != never), drawn.Order());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void LogitsThatAreNoNumbersChooseNothing(float wrong)
    {
        foreach (AnswerOptions options in (AnswerOptions[])[new(), new() { Temperature = 1f }, new() { Temperature = 1f, TopP = 0.5f }])
        {
            for (int i = 0; i < 3; i++)
            {
                float[] logits = [0f, 1f, 2f];
                logits[i] = wrong;
                Assert.Throws<NonFiniteLogitsException>(() => new Sampler(3).Next(logits, options));
            }

            Assert.Throws<NonFiniteLogitsException>(() => new Sampler(2).Next([float.NegativeInfinity, float.NegativeInfinity], options));

            // One that can never come is a logit like any other.
            Assert.Equal(1, new Sampler(2).Next([float.NegativeInfinity, 1f], options));
        }
    }

    [Fact]
    public void FrequenciesFollowTheSoftmax()
    {
        float[] logits = [0f, 1f, 2f, -1f];
        double[] weights = [.. logits.Select(static l => Math.Exp(l / 0.8))];
        var counts = new int[4];
        var sampler = new Sampler(4);
        sampler.Seed(5);
        var options = new AnswerOptions { Temperature = 0.8f };
        const int Draws = 20_000;
        for (int i = 0; i < Draws; i++)
        {
            counts[sampler.Next(logits, options)]++;
        }

        for (int i = 0; i < counts.Length; i++)
        {
            Assert.Equal(weights[i] / weights.Sum(), counts[i] / (double)Draws, 0.015);
        }
    }

    [Fact]
    public void TheNucleusIsTheSmallestSetThatReachesTopP()
    {
        // Probabilities 0.5, 0.25, 0.125, 0.125: the nucleus of 0.7 is the first two.
        float[] logits = [MathF.Log(0.125f), MathF.Log(0.5f), MathF.Log(0.25f), MathF.Log(0.125f)];
        var sampler = new Sampler(4);
        var options = new AnswerOptions { Temperature = 1f, TopP = 0.7f };
        var seen = new HashSet<int>();
        for (int i = 0; i < 2_000; i++)
        {
            seen.Add(sampler.Next(logits, options));
        }

        Assert.Equal([1, 2], seen.Order());
    }

    [Theory]
    [InlineData(0.5f)]
    [InlineData(0.9f)]
    [InlineData(0.99f)]
    [InlineData(1f)]
    public void TheNucleusOfALargeVocabularyIsThatOfItsSortedWhole(float topP)
    {
        // A few likely tokens above thousands of unlikely ones, as a trained model has them.
        var random = new Random(11);
        float[] logits = [.. Enumerable.Range(0, 5_000).Select(id => (id % 700 == 0 ? 12f : 0f) + random.NextSingle())];
        double sum = logits.Sum(static logit => Math.Exp(logit));
        var nucleus = new HashSet<int>();
        double kept = 0;
        foreach (int id in Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id]).ThenBy(static id => id))
        {
            if (kept >= topP)
            {
                break;
            }

            kept += Math.Exp(logits[id]) / sum;
            nucleus.Add(id);
        }

        var sampler = new Sampler(logits.Length);
        sampler.Seed(3);
        var options = new AnswerOptions { Temperature = 1f, TopP = topP };
        var likely = new HashSet<int>();
        for (int i = 0; i < 3_000; i++)
        {
            int drawn = sampler.Next(logits, options);
            Assert.Contains(drawn, nucleus);
            if (logits[drawn] > 12f)
            {
                likely.Add(drawn);
            }
        }

        Assert.Equal(nucleus.Where(id => logits[id] > 12f).Order(), likely.Order());
    }

    [Fact]
    public void EqualProbabilitiesKeepTheOrderOfTheirIds()
    {
        var logits = new float[1000];
        var options = new AnswerOptions { Temperature = 1f, TopP = 0.01f };
        var sampler = new Sampler(1000);
        for (int i = 0; i < 200; i++)
        {
            // 0.01 of 1,000 equal tokens: ten or eleven, by the rounding of the sum; always the lowest ids.
            Assert.InRange(sampler.Next(logits, options), 0, 10);
        }
    }

    [Fact]
    public void OneSeedIsOneAnswer()
    {
        float[] logits = [.. Enumerable.Range(0, 100).Select(static i => MathF.Sin(i))];
        var options = new AnswerOptions { Temperature = 1f };
        int[] Draw(ulong seed)
        {
            var sampler = new Sampler(100);
            sampler.Seed(seed);
            return [.. Enumerable.Range(0, 20).Select(_ => sampler.Next(logits, options))];
        }

        Assert.Equal(Draw(3), Draw(3));
        Assert.NotEqual(Draw(3), Draw(4));
    }

    [Fact]
    public void ATokenThatIsNeverChosenDoesNotDrownTheOthers()
    {
        var sampler = new Sampler(3, never: 0);
        var options = new AnswerOptions { Temperature = 0.1f };
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(2, sampler.Next([1e4f, 1f, 5f], options));
        }
    }

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void TemperaturesAreChecked(float temperature)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new AnswerOptions { Temperature = temperature });
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1.1f)]
    [InlineData(float.NaN)]
    public void NucleiAreChecked(float topP)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new AnswerOptions { TopP = topP });
    }

    [Fact]
    public void AnswersHaveAtLeastOneToken()
    {
        Assert.Throws<ArgumentOutOfRangeException>(static () => new AnswerOptions { MaxNewTokens = 0 });
    }
}
