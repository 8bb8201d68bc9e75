using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace Espalier;

/// <summary>Answers questions on the slots of a batch: prompts one after another into slots that are free, then a step of all slots, and so on. A slot whose answer is complete is free for the next question at once, so a long answer holds up nobody.</summary>
/// <remarks>Used once, by one thread at a time; the batch is held by the caller.</remarks>
internal sealed class SlotSchedule(VisionLanguageModel model, SequenceBatch batch, AnswerOptions options, IProgress<BatchProgress>? progress, ChannelWriter<BatchAnswer> answers)
{
    private readonly Slot?[] _slots = new Slot?[batch.Slots];
    private readonly int[] _tokens = new int[batch.Slots];
    private int _running;
    private int _started;
    private int _finished;
    private long _generated;

    /// <summary>Answers all questions of a feed.</summary>
    /// <param name="feed">The questions.</param>
    /// <param name="cancellationToken">Looked at before the vision tower and each layer. What was running is given up; the batch stays usable.</param>
    public async Task RunAsync(BatchFeed feed, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                while (_running < _slots.Length && feed.TryTake(out LoadedQuestion question))
                {
                    Start(question, cancellationToken);
                }

                if (_running > 0)
                {
                    Step(cancellationToken);
                }
                else if (!await feed.WaitAsync(cancellationToken).ConfigureAwait(false))
                {
                    return;
                }
            }
        }
        finally
        {
            for (int slot = 0; slot < _slots.Length; slot++)
            {
                if (_slots[slot] is not null)
                {
                    batch[slot].Abandon();
                }
            }
        }
    }

    private void Start(in LoadedQuestion question, CancellationToken cancellationToken)
    {
        int free = Array.IndexOf(_slots, null);
        var slot = new Slot(question.Index, new Answer(model, batch[free], options));
        _started++;
        if (question.Error is not null)
        {
            Finish(slot, default, question.Error);
            return;
        }

        try
        {
            slot.Answer.Start(question.Image, model.Prompt.Build(model.Tokenizer, question.Question, model.LoadedPlan.Geometry.ImageTokenId), cancellationToken);
        }
        catch (Exception exception) when (IsOfTheQuestion(exception, cancellationToken))
        {
            Finish(slot, default, exception);
            return;
        }

        slot.Text.Append(slot.Answer.Text);
        _generated++;
        _slots[free] = slot;
        _running++;
        if (slot.Answer.Finished)
        {
            Finish(free, error: null);
        }
        else
        {
            Report();
        }
    }

    private void Step(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < _slots.Length; i++)
        {
            _tokens[i] = -1;
            if (_slots[i] is { } slot && !slot.Answer.TryStep(out _tokens[i]))
            {
                _tokens[i] = -1;
                slot.Text.Append(slot.Answer.Text);
                Finish(i, error: null);
            }
        }

        try
        {
            model.DecodeTokens(batch, _tokens, cancellationToken);
        }
        catch (Exception exception) when (IsOfTheQuestion(exception, cancellationToken))
        {
            // A step is one run for all of them, so it failed for all of them; questions behind them have steps of their own.
            for (int i = 0; i < _slots.Length; i++)
            {
                if (_slots[i] is not null)
                {
                    Finish(i, exception);
                }
            }

            return;
        }

        for (int i = 0; i < _slots.Length; i++)
        {
            if (_slots[i] is { } slot)
            {
                try
                {
                    slot.Answer.Take(Stopwatch.GetElapsedTime(start));
                }
                catch (NonFiniteLogitsException exception)
                {
                    Finish(i, exception);
                    continue;
                }

                slot.Text.Append(slot.Answer.Text);
                _generated++;
                if (slot.Answer.Finished)
                {
                    Finish(i, error: null);
                }
            }
        }
    }

    private static bool IsOfTheQuestion(Exception exception, CancellationToken cancellationToken) =>
        exception is not OutOfMemoryException && !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested);

    private void Finish(int index, Exception? error)
    {
        Slot slot = _slots[index]!;
        AnswerStatistics statistics = batch[index].Statistics;
        _slots[index] = null;
        _running--;
        batch[index].Retire();
        Finish(slot, statistics, error);
    }

    private void Finish(Slot slot, AnswerStatistics statistics, Exception? error)
    {
        _finished++;
        answers.TryWrite(new BatchAnswer(slot.Index, slot.Text.ToString(), statistics, error));
        Report();
    }

    private void Report() => progress?.Report(new BatchProgress(_started, _finished, _generated));

    private sealed record Slot(int Index, Answer Answer)
    {
        public StringBuilder Text { get; } = new();
    }
}
