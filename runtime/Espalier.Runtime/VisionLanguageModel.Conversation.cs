using System.Runtime.CompilerServices;
using Espalier.Text;
using Espalier.Vision;

namespace Espalier;

// Conversations: text behind an answer, over the rows that a sequence holds already.
public abstract partial class VisionLanguageModel
{
    /// <summary>Adds text behind what a sequence holds and computes the logits of the next token. All of it goes through each layer at once, as the layers of <see cref="Decode"/> run it: the visual tokens stay those that the prefill kept. Where the plan lets text leave the caches, it goes in pieces, so that the same leaves as token by token.</summary>
    /// <param name="sequence">A sequence of this model after a prefill.</param>
    /// <param name="tokens">Token ids; at least one.</param>
    /// <param name="cancellationToken">Looked at before each layer.</param>
    /// <returns><see cref="StepResult.CapacityExhausted"/> if the text does not fit; nothing was run then.</returns>
    /// <exception cref="ArgumentException">There is no token.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token id is out of range.</exception>
    /// <exception cref="InvalidOperationException">No prefill came before.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the sequence starts with a prefill again.</exception>
    public StepResult Extend(Sequence sequence, ReadOnlySpan<int> tokens, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        if (tokens.IsEmpty)
        {
            throw new ArgumentException("At least one token is added.", nameof(tokens));
        }

        sequence.Enter(this);
        try
        {
            return ExtendText(sequence, tokens, cancellationToken);
        }
        finally
        {
            sequence.Leave();
        }
    }

    /// <summary>Answers a further question in the conversation that a sequence holds. Image and earlier turns are not computed again; a pruned image stays as the first question left it.</summary>
    /// <param name="sequence">A sequence of this model after an answer.</param>
    /// <param name="question">The question.</param>
    /// <param name="options">Sampling and length; null is greedy.</param>
    /// <param name="cancellationToken">Ends the answer before the next layer; the sequence then holds nothing, and stays usable.</param>
    /// <exception cref="PromptTooLongException">The question does not fit behind the conversation, which stays as it is.</exception>
    /// <exception cref="NonFiniteLogitsException">The model computed no numbers.</exception>
    /// <exception cref="InvalidOperationException">The sequence holds no conversation.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IAsyncEnumerable<string> AnswerAsync(Sequence sequence, string question, AnswerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        ArgumentNullException.ThrowIfNull(question);
        return StreamAsync(sequence, (answer, cancel) => answer.Follow(question, cancel), options, cancellationToken);
    }

    /// <summary>Answers the last question of a conversation.</summary>
    /// <param name="sequence">A sequence of this model.</param>
    /// <param name="conversation">The conversation, as <see cref="PromptTemplate.BuildConversation"/> encodes it.</param>
    /// <param name="image">8-bit RGB pixels of any size: the sequence starts anew with them. Null: the conversation continues over the image that the sequence holds, and only what it does not hold of the text is computed. Text that it holds beyond that is forgotten.</param>
    /// <param name="options">Sampling and length; null is greedy.</param>
    /// <param name="cancellationToken">Ends the answer before the vision tower or the next layer; the sequence and the model stay usable.</param>
    /// <remarks>The first question alone decides which visual tokens stay, with an image and without: both ways give the same logits up to rounding.
    /// Where decode steps skip feed-forward layers (<see cref="Planning.ReductionPlan.Skips"/>), tokens that the sequence has decoded itself keep the rows that these steps wrote.</remarks>
    /// <exception cref="PromptTooLongException">The conversation does not fit the sequence, which stays as it is.</exception>
    /// <exception cref="NonFiniteLogitsException">The model computed no numbers.</exception>
    /// <exception cref="InvalidOperationException">There is no image, and the sequence does not hold the beginning of the conversation; see <see cref="Sequence.Holds"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IAsyncEnumerable<string> AnswerAsync(Sequence sequence, Prompt conversation, RgbImage? image, AnswerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        ArgumentNullException.ThrowIfNull(conversation);
        return StreamAsync(
            sequence,
            (answer, cancel) =>
            {
                if (image is { } pixels)
                {
                    answer.Start(pixels, conversation, cancel);
                }
                else
                {
                    answer.Continue(conversation, cancel);
                }
            },
            options,
            cancellationToken);
    }

    internal StepResult ExtendText(Sequence sequence, ReadOnlySpan<int> tokens, CancellationToken cancellationToken)
    {
        _embeddings.Check(tokens);
        if (tokens.Length > sequence.Limit - sequence.Position)
        {
            return StepResult.CapacityExhausted;
        }

        try
        {
            while (!tokens.IsEmpty)
            {
                ReadOnlySpan<int> piece = tokens[..sequence.Pass.PieceOf(tokens)];
                sequence.Pass.LoadText(_embeddings, piece, sequence.Position, cancellationToken);
                Step(sequence);
                sequence.Pass.RequireLogits();
                sequence.AddText(piece);
                tokens = tokens[piece.Length..];
            }

            return StepResult.Ready;
        }
        catch
        {
            sequence.Abandon();
            throw;
        }
    }

    private async IAsyncEnumerable<string> StreamAsync(
        Sequence sequence,
        Action<Answer, CancellationToken> start,
        AnswerOptions? options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        sequence.Enter(this);
        try
        {
            var answer = new Answer(this, sequence, options ?? new AnswerOptions());
            await Task.Run(() => start(answer, cancellationToken), CancellationToken.None).ConfigureAwait(false);
            while (true)
            {
                if (answer.Text.Length > 0)
                {
                    yield return answer.Text;
                }

                if (answer.Finished)
                {
                    break;
                }

                await Task.Run(() => answer.Advance(cancellationToken), CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            sequence.Leave();
        }
    }
}
