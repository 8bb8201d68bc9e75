using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>What scorers of one's own may do wrong, as generator/docs/write-a-scorer.md says what comes of it.</summary>
public sealed class ScorerTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatAScorerThrowsReachesTheCallerAndTheSequenceCanBeUsedAgain(bool prunes)
    {
        using var plain = new TinyModel(prunes ? static c => ClipLlamaNorm.Load(c) : static c => ClipLlamaMerge.Load(c));
        using Sequence expected = plain.CreateSequence();
        List<float[]> logits = plain.Run(expected, 2);

        using var tiny = new TinyModel(prunes ? static c => ClipLlamaThrowing.Load(c) : static c => ClipLlamaMergeThrowing.Load(c));
        using Sequence sequence = tiny.CreateSequence();
        Assert.Equal(logits, tiny.Run(sequence, 2));
        var error = new TimeoutException("no");
        ThrowingScorer.Error = error;
        try
        {
            Assert.Same(error, Assert.Throws<TimeoutException>(() => tiny.Prefill(sequence)));
            Assert.Throws<InvalidOperationException>(() => tiny.Model.Decode(sequence, 3));
        }
        finally
        {
            ThrowingScorer.Error = null;
        }

        Assert.Equal(logits, tiny.Run(sequence, 2));
    }

    [Fact]
    public void ScoresThatAreNoNumbersRankBelowAllNumbers()
    {
        Assert.Equal([0, 1, .. Enumerable.Range(18, 18)], Survivors(static c => ClipLlamaHalfNaN.Load(c)));
        Assert.Equal(Enumerable.Range(0, 7), Survivors(static c => ClipLlamaNaN.Load(c)));
        Assert.Equal(Enumerable.Range(0, 7), Survivors(static c => ClipLlamaMergeNaN.Load(c)));
        Assert.Equal([1, 3, .. Enumerable.Range(0, 18).Select(static i => 2 * i)], Survivors(static c => ClipLlamaInfinite.Load(c)).OrderBy(static token => token % 2 == 0).ThenBy(static token => token));
    }

    [Fact]
    public void RowsThatAScorerLeavesOutScoreZero() => Assert.Equal([0, 1, .. Enumerable.Range(31, 5)], Survivors(static c => ClipLlamaLastFive.Load(c)));

    [Fact]
    public void OneTokenMayStay()
    {
        int kept = Assert.Single(Survivors(static c => ClipLlamaNormOne.Load(c)));
        Assert.Equal(kept, Assert.Single(Survivors(static c => ClipLlamaMergeOne.Load(c))));
    }

    private static int[] Survivors(Func<Checkpoint, VisionLanguageModel> load)
    {
        using var tiny = new TinyModel(load);
        using Sequence sequence = tiny.CreateSequence();
        Assert.DoesNotContain(tiny.Run(sequence, 1), static logits => logits.Any(float.IsNaN));
        return sequence.SurvivorsOf(0).ToArray();
    }
}
