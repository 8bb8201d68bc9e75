using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Answers as they stream: how they begin, why they end, and what a seed and a cancellation do to them.</summary>
public sealed class AnswerStreamTests
{
    [Fact]
    public async Task AnAnswerThatDoesNotFitNamesBothNumbers()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.Model.CreateSequence(tiny.Model.LoadedPlan.Geometry.VisualTokens + 2);
        PromptTooLongException error = await Assert.ThrowsAsync<PromptTooLongException>(async () =>
        {
            await foreach (string _ in tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?"))
            {
            }
        });
        Assert.Equal(sequence.Capacity, error.Capacity);
        Assert.Contains(error.PromptTokens.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnswersStreamAndEndWithAReason()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 64);
        string text = "";
        await foreach (string piece in tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?", new AnswerOptions { MaxNewTokens = 5 }))
        {
            Assert.NotEqual("", piece);
            text += piece;
        }

        AnswerStatistics statistics = sequence.Statistics;
        Assert.Contains(statistics.FinishReason, new[] { FinishReason.MaxNewTokens, FinishReason.Stop });
        Assert.InRange(statistics.GeneratedTokens, 1, 5);
        Assert.True(statistics.Prefill > TimeSpan.Zero && statistics.Vision > TimeSpan.Zero);
    }

    [Fact]
    public async Task NoAnswerStartsWithWhiteSpace()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 64);
        bool holdsSpaces = false;
        for (ulong seed = 0; seed < 40; seed++)
        {
            string text = "";
            await foreach (string piece in tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?", new AnswerOptions { MaxNewTokens = 6, Temperature = 50f, Seed = seed }))
            {
                Assert.NotEqual("", piece);
                text += piece;
            }

            Assert.Equal(text.TrimStart(), text);
            holdsSpaces |= text.Contains(' ');
        }

        // Else the tokens of this model could not show a space in front.
        Assert.True(holdsSpaces);
    }

    [Fact]
    public async Task AFullSequenceEndsAnAnswer()
    {
        using var tiny = new TinyModel();
        using Sequence probe = tiny.CreateSequence(extra: 64);
        await foreach (string _ in tiny.Model.AnswerAsync(probe, tiny.Image, "what is this ?", new AnswerOptions { MaxNewTokens = 4, Temperature = 50f }))
        {
        }

        using Sequence tight = tiny.Model.CreateSequence(probe.Statistics.PromptTokens + 1);
        await foreach (string _ in tiny.Model.AnswerAsync(tight, tiny.Image, "what is this ?", new AnswerOptions { MaxNewTokens = 4, Temperature = 50f }))
        {
        }

        Assert.Equal(FinishReason.CapacityExhausted, tight.Statistics.FinishReason);
        Assert.Equal(2, tight.Statistics.GeneratedTokens);
    }

    [Fact]
    public async Task TheSeedDecidesASampledAnswer()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 64);
        async Task<string> Ask(ulong seed)
        {
            string text = "";
            await foreach (string piece in tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?", new AnswerOptions { MaxNewTokens = 12, Temperature = 20f, TopP = 0.95f, Seed = seed }))
            {
                text += piece;
            }

            return text;
        }

        string first = await Ask(1);
        Assert.Equal(first, await Ask(1));
        Assert.NotEqual(first, await Ask(2));
    }

    [Fact]
    public async Task CancellingAnAnswerLeavesTheModelUsable()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 64);
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (string _ in tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?", new AnswerOptions { MaxNewTokens = 60, Temperature = 50f }, cancel.Token))
            {
                cancel.Cancel();
            }
        });
        Assert.Equal(FinishReason.Cancelled, sequence.Statistics.FinishReason);
        Assert.Equal(3, tiny.Run(sequence, 2).Count);
    }
}
