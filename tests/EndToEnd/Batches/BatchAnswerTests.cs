using Espalier.Tests.Declared;
using Espalier.Vision;

namespace Espalier.Tests.Batches;

/// <summary>Many questions at once: the answers that they get alone, whatever happens to their neighbours.</summary>
public sealed class BatchAnswerTests
{
    private static readonly string[] Questions = ["what is this ?", "how many ?", "is there a circle ?", "where ?", "what color is it ?", "a", "what is this , and where is it ?"];

    private static readonly AnswerOptions Options = new() { MaxNewTokens = 24, Temperature = 20f, Seed = 3, StopSequences = ["e"] };

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    public async Task EveryAnswerIsTheOneGivenAlone(int slots)
    {
        using var tiny = new TinyModel();
        (string Text, AnswerStatistics Statistics)[] expected = await AloneAsync(tiny);
        using SequenceBatch batch = tiny.Model.CreateBatch(slots, tiny.PromptTokens + 64);
        for (int round = 0; round < 2; round++)
        {
            List<BatchAnswer> answers = await Collect(tiny.Model.AnswerAsync(batch, All(tiny), Options));
            Assert.Equal(Enumerable.Range(0, Questions.Length), answers.Select(static answer => answer.Index).Order());
            foreach (BatchAnswer answer in answers)
            {
                AnswerStatistics alone = expected[answer.Index].Statistics;
                Assert.Null(answer.Error);
                Assert.Equal(expected[answer.Index].Text, answer.Text);
                Assert.Equal((alone.PromptTokens, alone.GeneratedTokens, alone.FinishReason, alone.VisualTokens), (answer.Statistics.PromptTokens, answer.Statistics.GeneratedTokens, answer.Statistics.FinishReason, answer.Statistics.VisualTokens));
                Assert.True(answer.Statistics.Prefill > TimeSpan.Zero);
            }
        }

        // Answers of one length would not show that a slot is filled again in the middle of others.
        Assert.True(expected.Select(static answer => answer.Statistics.GeneratedTokens).Distinct().Count() > 1);
    }

    [Fact]
    public async Task ASlowImageHoldsUpNobody()
    {
        using var tiny = new TinyModel();
        using SequenceBatch batch = tiny.Model.CreateBatch(2, tiny.PromptTokens + 64);
        var arrives = new TaskCompletionSource<RgbImage>();
        BatchQuestion[] questions = [new(_ => new ValueTask<RgbImage>(arrives.Task), Questions[0]), .. All(tiny)];
        var order = new List<int>();
        await foreach (BatchAnswer answer in tiny.Model.AnswerAsync(batch, questions, Options).WithCancellation(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token))
        {
            order.Add(answer.Index);
            if (order.Count == questions.Length - 1)
            {
                arrives.SetResult(tiny.Image);
            }
        }

        Assert.Equal(questions.Length, order.Count);
        Assert.Equal(0, order[^1]);
    }

    [Fact]
    public async Task WhatIsWrongWithOneQuestionIsItsOwnError()
    {
        using var tiny = new TinyModel();
        (string Text, AnswerStatistics)[] expected = await AloneAsync(tiny);
        using SequenceBatch batch = tiny.Model.CreateBatch(2, tiny.PromptTokens + 64);
        BatchQuestion[] all = All(tiny);
        BatchQuestion[] questions =
        [
            new(static _ => throw new IOException("gone"), "what ?"),
            all[0],
            new(tiny.Image, string.Join(' ', Enumerable.Repeat("what is this ?", 100))),
            all[1],
            new(default(RgbImage), "what ?"),
            new(static async cancel => { await Task.Yield(); throw new OperationCanceledException("its own"); }, "what ?"),
            all[2],
        ];
        BatchAnswer[] answers = [.. (await Collect(tiny.Model.AnswerAsync(batch, questions, Options))).OrderBy(static answer => answer.Index)];
        Assert.Equal(7, answers.Length);
        Assert.Equal("gone", Assert.IsType<IOException>(answers[0].Error).Message);
        Assert.IsType<PromptTooLongException>(answers[2].Error);
        Assert.IsAssignableFrom<ArgumentException>(answers[4].Error);
        Assert.IsType<OperationCanceledException>(answers[5].Error);
        Assert.Equal(expected[0].Text, answers[1].Text);
        Assert.Equal(expected[1].Text, answers[3].Text);
        Assert.Equal(expected[2].Text, answers[6].Text);
    }

    [Fact]
    public async Task ProgressCountsUp()
    {
        using var tiny = new TinyModel();
        using SequenceBatch batch = tiny.Model.CreateBatch(3, tiny.PromptTokens + 64);
        var reports = new Reports();
        List<BatchAnswer> answers = await Collect(tiny.Model.AnswerAsync(batch, All(tiny), Options, reports));
        BatchProgress last = reports.All[^1];
        Assert.Equal(new BatchProgress(Questions.Length, Questions.Length, answers.Sum(static answer => answer.Statistics.GeneratedTokens)), last);
        Assert.True(reports.All.Zip(reports.All.Skip(1)).All(static pair => pair.First.Started <= pair.Second.Started && pair.First.Finished <= pair.Second.Finished));
        Assert.All(reports.All, static report => Assert.InRange(report.Started - report.Finished, 0, 3));
    }

    [Fact]
    public async Task AFullSlotEndsItsAnswerAlone()
    {
        using var tiny = new TinyModel();
        (string Text, AnswerStatistics Statistics)[] expected = await AloneAsync(tiny);
        int longest = Enumerable.Range(0, Questions.Length).MaxBy(i => expected[i].Statistics.GeneratedTokens);
        using SequenceBatch batch = tiny.Model.CreateBatch(2, expected[longest].Statistics.PromptTokens + 1);
        BatchAnswer answer = Assert.Single(await Collect(tiny.Model.AnswerAsync(batch, [All(tiny)[longest]], Options)));
        Assert.Equal((FinishReason.CapacityExhausted, 2), (answer.Statistics.FinishReason, answer.Statistics.GeneratedTokens));
        Assert.StartsWith(answer.Text, expected[longest].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CancellingAndLeavingEndTheRunAndTheBatchStaysUsable()
    {
        using var tiny = new TinyModel();
        using SequenceBatch batch = tiny.Model.CreateBatch(2, tiny.PromptTokens + 64);
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (BatchAnswer _ in tiny.Model.AnswerAsync(batch, Endless(tiny), Options, progress: null, cancel.Token))
            {
                Assert.Throws<InvalidOperationException>(batch.Dispose);
                cancel.Cancel();
            }
        });
        await foreach (BatchAnswer _ in tiny.Model.AnswerAsync(batch, Endless(tiny), Options))
        {
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await Collect(tiny.Model.AnswerAsync(batch, All(tiny), Options)));
            break;
        }

        (string Text, AnswerStatistics)[] expected = await AloneAsync(tiny);
        List<BatchAnswer> answers = await Collect(tiny.Model.AnswerAsync(batch, All(tiny), Options));
        Assert.All(answers, answer => Assert.Equal(expected[answer.Index].Text, answer.Text));
    }

    [Fact]
    public async Task WhatTheQuestionsThrowComesBehindTheAnswersBeforeIt()
    {
        using var tiny = new TinyModel();
        using SequenceBatch batch = tiny.Model.CreateBatch(2, tiny.PromptTokens + 64);
        IEnumerable<BatchQuestion> Broken()
        {
            yield return All(tiny)[0];
            throw new InvalidDataException("the list is broken");
        }

        var answers = new List<BatchAnswer>();
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            await foreach (BatchAnswer answer in tiny.Model.AnswerAsync(batch, Broken(), Options))
            {
                answers.Add(answer);
            }
        });
        Assert.Null(Assert.Single(answers).Error);
    }

    [Fact]
    public async Task BatchesAndSequencesOfOneModelRunAtTheSameTime()
    {
        using var tiny = new TinyModel();
        (string Text, AnswerStatistics)[] expected = await AloneAsync(tiny);
        using Sequence alone = tiny.CreateSequence();
        List<float[]> logits = tiny.Run(alone, 6);
        using SequenceBatch first = tiny.Model.CreateBatch(3, tiny.PromptTokens + 64);
        using SequenceBatch second = tiny.Model.CreateBatch(4, tiny.PromptTokens + 64);
        Task<List<BatchAnswer>>[] runs = [.. new[] { first, second }.Select(batch => Task.Run(() => Collect(tiny.Model.AnswerAsync(batch, All(tiny), Options))))];
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(logits, tiny.Run(alone, 6));
        }

        foreach (Task<List<BatchAnswer>> run in runs)
        {
            Assert.All(await run, answer => Assert.Equal(expected[answer.Index].Text, answer.Text));
        }
    }

    [Fact]
    public async Task ABatchMayOutliveItsModelAndChecksItsArguments()
    {
        var tiny = new TinyModel();
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.CreateBatch(0, 100));
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.CreateBatch(VisionLanguageModel.MaximumBatchSlots + 1, 100));
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.CreateBatch(2, 37));
        SequenceBatch batch = tiny.Model.CreateBatch(2, tiny.PromptTokens + 16);
        using Sequence alone = tiny.CreateSequence();
        Assert.Equal(2 * alone.KeyValueBytes, batch.KeyValueBytes);
        List<float[]> expected = tiny.Run(batch[1], 2);
        tiny.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tiny.Model.CreateBatch(2, 100));
        Assert.Equal(expected, tiny.Run(batch[1], 2));
        batch.Dispose();
        batch.Dispose();
        using var other = new TinyModel();
        using SequenceBatch foreign = other.Model.CreateBatch(1, other.PromptTokens + 16);
        Assert.Throws<ObjectDisposedException>(() => tiny.Model.CreateBatch(2, 100));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Collect(tiny.Model.AnswerAsync(foreign, All(other), Options)));
    }

    private static BatchQuestion[] All(TinyModel tiny) => [.. Questions.Select(question => new BatchQuestion(tiny.Image, question))];

    private static IEnumerable<BatchQuestion> Endless(TinyModel tiny)
    {
        while (true)
        {
            yield return new BatchQuestion(tiny.Image, Questions[0]);
        }
    }

    private static async Task<(string Text, AnswerStatistics Statistics)[]> AloneAsync(TinyModel tiny)
    {
        using Sequence sequence = tiny.CreateSequence(extra: 64);
        var answers = new (string, AnswerStatistics)[Questions.Length];
        for (int i = 0; i < answers.Length; i++)
        {
            string text = "";
            await foreach (string piece in tiny.Model.AnswerAsync(sequence, tiny.Image, Questions[i], Options))
            {
                text += piece;
            }

            answers[i] = (text, sequence.Statistics);
        }

        return answers;
    }

    private static async Task<List<BatchAnswer>> Collect(IAsyncEnumerable<BatchAnswer> answers)
    {
        var list = new List<BatchAnswer>();
        await foreach (BatchAnswer answer in answers)
        {
            list.Add(answer);
        }

        return list;
    }

    private sealed class Reports : IProgress<BatchProgress>
    {
        public List<BatchProgress> All { get; } = [];

        public void Report(BatchProgress value) => All.Add(value);
    }
}
