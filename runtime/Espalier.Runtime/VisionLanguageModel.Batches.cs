using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Espalier;

// Many questions at once.
public abstract partial class VisionLanguageModel
{
    /// <summary>The most slots that a batch has. Long before, more rows cost as much as they bring.</summary>
    public const int MaximumBatchSlots = 1024;

    /// <summary>The most slots that a batch on a device has: each of them is an attention of its own in the graph of every layer.</summary>
    public const int MaximumDeviceBatchSlots = 64;

    /// <summary>Makes a batch. On a device the first one of so many slots builds sessions for them.</summary>
    /// <param name="slots">Answers that run at the same time, 1 to <see cref="MaximumBatchSlots"/>, on a device to <see cref="MaximumDeviceBatchSlots"/>. Their KV caches are allocated at once: see <see cref="SequenceBatch.KeyValueBytes"/>.</param>
    /// <param name="capacity">Positions of each of them, as for <see cref="CreateSequence"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no slots, or too many; or the capacity does not hold the visual tokens and a text token, or is above the positions that the model was trained for.</exception>
    /// <exception cref="OutOfMemoryException">There is not that much memory.</exception>
    /// <exception cref="OnnxRuntime.DeviceMemoryException">The device has not that much memory.</exception>
    /// <exception cref="NotSupportedException">The model runs in half precision.</exception>
    public SequenceBatch CreateBatch(int slots, int capacity)
    {
        if (slots is < 1 or > MaximumBatchSlots)
        {
            throw new ArgumentOutOfRangeException(nameof(slots), slots, $"A batch has 1 to {MaximumBatchSlots} slots.");
        }

        if (!_sessions.Memory.IsHost && slots > MaximumDeviceBatchSlots)
        {
            throw new ArgumentOutOfRangeException(nameof(slots), slots, $"A batch on a device has 1 to {MaximumDeviceBatchSlots} slots: each is a part of its graphs. Use several batches, or Device.Cpu.");
        }

        if (_sessions.Rows != OnnxRuntime.OrtElementType.Float)
        {
            throw new NotSupportedException("A batch has rows and caches in single precision. Load the model in Precision.Float32, Int8 or Int4, or use one sequence an answer.");
        }

        CheckCapacity(capacity);
        Acquire();
        try
        {
            return new SequenceBatch(this, _sessions, LoadedPlan, slots, capacity, place => MakeSequence(capacity, place));
        }
        finally
        {
            // From here on the sequences of the slots hold the model.
            Release();
        }
    }

    /// <inheritdoc cref="AnswerAsync(SequenceBatch, IAsyncEnumerable{BatchQuestion}, AnswerOptions?, IProgress{BatchProgress}?, CancellationToken)"/>
    public IAsyncEnumerable<BatchAnswer> AnswerAsync(
        SequenceBatch batch,
        IEnumerable<BatchQuestion> questions,
        AnswerOptions? options = null,
        IProgress<BatchProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(questions);
        return AnswerAsync(batch, OneByOneAsync(questions), options, progress, cancellationToken);
    }

    /// <summary>Answers many questions about images, as many at a time as the batch has slots. Answers come as they get complete, so not in the order of the questions; a slow image or a long answer holds up no other.</summary>
    /// <param name="batch">A batch of this model.</param>
    /// <param name="questions">The questions, taken as slots get free.</param>
    /// <param name="options">Sampling and length of every answer; each is sampled with the same seed, as it would be alone. Null is greedy.</param>
    /// <param name="progress">Told of each prompt that was run and each answer; called on the thread that computes.</param>
    /// <param name="cancellationToken">Ends all of it before the next vision tower or layer. The batch stays usable, as it does when the caller stops enumerating.</param>
    /// <remarks>
    /// An image that cannot be read or a prompt that does not fit becomes the <see cref="BatchAnswer.Error"/> of its question; the others go on.
    /// Answers are those of <see cref="AnswerAsync(Sequence, Vision.RgbImage, string, AnswerOptions?, CancellationToken)"/>: with <see cref="Precision.Float32"/> and <see cref="Precision.Int8"/> bit by bit, where decode steps take int4 weights up to rounding, since that kernel adds up in another order for one row than for several.
    /// Where decode steps skip feed-forward layers by the row (<see cref="Planning.ReductionPlan.Skips"/>), the sequences of a batch decode one after another.
    /// </remarks>
    /// <exception cref="ArgumentException">The batch belongs to another model.</exception>
    /// <exception cref="InvalidOperationException">The batch is running already.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IAsyncEnumerable<BatchAnswer> AnswerAsync(
        SequenceBatch batch,
        IAsyncEnumerable<BatchQuestion> questions,
        AnswerOptions? options = null,
        IProgress<BatchProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(questions);
        return AnswerAllAsync(batch, questions, options ?? new AnswerOptions(), progress, cancellationToken);
    }

    /// <summary>Runs one decode step of the loaded slots of a batch.</summary>
    /// <param name="batch">A batch of this model.</param>
    /// <param name="tokens">The token of each slot; below zero for a slot that rests.</param>
    /// <param name="cancellationToken">Looked at before each layer.</param>
    internal void DecodeTokens(SequenceBatch batch, ReadOnlySpan<int> tokens, CancellationToken cancellationToken)
    {
        if (LoadedPlan.Skips is not null)
        {
            DecodeOneByOne(batch, tokens, cancellationToken);
            return;
        }

        try
        {
            for (int slot = 0; slot < tokens.Length; slot++)
            {
                if (tokens[slot] >= 0)
                {
                    batch.Load(slot, _embeddings, tokens[slot]);
                }
            }

            batch.Step(cancellationToken);
            for (int slot = 0; slot < tokens.Length; slot++)
            {
                if (tokens[slot] >= 0)
                {
                    batch[slot].AddText(tokens.Slice(slot, 1));
                }
            }
        }
        catch
        {
            for (int slot = 0; slot < tokens.Length; slot++)
            {
                if (tokens[slot] >= 0)
                {
                    batch[slot].Abandon();
                }
            }

            throw;
        }
    }

    // A plan whose steps decide by the row which layers they skip has other layers for each sequence: there is nothing to share.
    private void DecodeOneByOne(SequenceBatch batch, ReadOnlySpan<int> tokens, CancellationToken cancellationToken)
    {
        for (int slot = 0; slot < tokens.Length; slot++)
        {
            if (tokens[slot] >= 0 && DecodeToken(batch[slot], tokens[slot], cancellationToken) != StepResult.Ready)
            {
                throw new InvalidOperationException($"The sequence of slot {slot} is full.");
            }
        }
    }

    private async IAsyncEnumerable<BatchAnswer> AnswerAllAsync(
        SequenceBatch batch,
        IAsyncEnumerable<BatchQuestion> questions,
        AnswerOptions options,
        IProgress<BatchProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        batch.Enter(this);
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            using var feed = new BatchFeed(batch.Slots);
            var answers = Channel.CreateUnbounded<BatchAnswer>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
            var run = new SlotSchedule(this, batch, options, progress, answers.Writer);
            Task reading = Task.Run(() => feed.RunAsync(questions, ending.Token), CancellationToken.None);
            Task computing = Task.Run(
                async () =>
                {
                    try
                    {
                        await run.RunAsync(feed, ending.Token).ConfigureAwait(false);
                    }
                    finally
                    {
                        answers.Writer.Complete();
                    }
                },
                CancellationToken.None);
            try
            {
                await foreach (BatchAnswer answer in answers.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    yield return answer;
                }

                await computing.ConfigureAwait(false);
            }
            finally
            {
                // Also where the caller stopped enumerating: nothing of it runs on.
                await ending.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(reading, computing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            batch.Leave();
        }
    }

    private static async IAsyncEnumerable<BatchQuestion> OneByOneAsync(IEnumerable<BatchQuestion> questions)
    {
        foreach (BatchQuestion question in questions)
        {
            yield return question;
        }

        await Task.CompletedTask.ConfigureAwait(false);
    }
}
