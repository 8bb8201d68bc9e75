using System.Diagnostics;
using Espalier.Text;
using Espalier.Vision;

namespace Espalier;

/// <summary>An answer while it is generated: prompt, sampling, detokenising, statistics.</summary>
/// <remarks>Not thread-safe; its sequence is held by the caller for as long as the answer runs.</remarks>
internal sealed class Answer(VisionLanguageModel model, Sequence sequence, AnswerOptions options)
{
    private readonly TextStream _stream = model.Tokenizer.CreateTextStream();
    private readonly StopFilter _stops = new(options.StopSequences);
    private int _token;
    private int _generated;
    private TimeSpan _decode;
    private bool _begun;

    /// <summary>The text that the last call produced; may be empty.</summary>
    public string Text { get; private set; } = "";

    /// <summary>True if no call may follow.</summary>
    public bool Finished { get; private set; }

    /// <summary>Runs a prompt about an image and chooses the first token.</summary>
    public void Start(in RgbImage image, Prompt prompt, CancellationToken cancellationToken)
    {
        Begin();
        RequireRoom(prompt.Prefix.Length + model.LoadedPlan.ImagePositions + prompt.Suffix.Length + prompt.Continuation.Length, sequence.Capacity);
        try
        {
            model.Preprocessor.Process(image, sequence.Image.Pixels);
            model.PrefillPixels(sequence, prompt.Prefix, prompt.Suffix, prompt.Question, cancellationToken);
            if (prompt.Continuation.Length > 0)
            {
                Extend(prompt.Continuation, cancellationToken);
            }

            Choose();
        }
        catch (OperationCanceledException)
        {
            Finish(FinishReason.Cancelled);
            throw;
        }
    }

    /// <summary>Runs what the sequence does not hold of a conversation, and chooses the first token.</summary>
    public void Continue(Prompt prompt, CancellationToken cancellationToken)
    {
        Begin();
        if (!sequence.Holds(prompt))
        {
            throw new InvalidOperationException("The sequence does not hold the beginning of this conversation: give the image along, and the conversation starts anew.");
        }

        RequireRoom(sequence.Position - sequence.Text.Length + prompt.Suffix.Length + prompt.Continuation.Length, sequence.Limit);

        int question = prompt.Suffix.Length;
        int common = sequence.Reused(prompt);
        sequence.Rewind(common);
        ReadOnlySpan<int> rest = common < question ? prompt.Suffix.AsSpan(common) : prompt.Continuation.AsSpan(common - question);
        Follow(rest, cancellationToken);
    }

    /// <summary>Adds a further question to what the sequence holds, and chooses the first token.</summary>
    public void Follow(string question, CancellationToken cancellationToken)
    {
        int[] ids = model.Prompt.BuildFollowUp(model.Tokenizer, question);
        if (sequence.Text.IsEmpty)
        {
            throw new InvalidOperationException("The sequence holds no conversation: ask about an image first, also after a cancelled or failed call.");
        }

        // The last token of an answer that was cut off has been given out, but not run.
        int[] rest = sequence.Pending >= 0 ? [sequence.Pending, .. ids] : ids;
        Begin();
        RequireRoom(sequence.Position + rest.Length, sequence.Limit);
        Follow(rest, cancellationToken);
    }

    /// <summary>Runs one decode step and chooses the next token.</summary>
    public void Advance(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            if (model.DecodeToken(sequence, _token, cancellationToken) == StepResult.CapacityExhausted)
            {
                Finish(FinishReason.CapacityExhausted);
            }
            else
            {
                Choose();
            }
        }
        catch (OperationCanceledException)
        {
            Finish(FinishReason.Cancelled);
            throw;
        }
        finally
        {
            sequence.Record = sequence.Record with { Decode = _decode += Stopwatch.GetElapsedTime(start) };
        }
    }

    /// <summary>The token that the next step runs, where the caller runs it and calls <see cref="Take"/> then.</summary>
    /// <returns>False if there is no room for it: the answer ends here.</returns>
    public bool TryStep(out int token)
    {
        token = _token;
        if (sequence.Position < sequence.Limit)
        {
            return true;
        }

        Finish(FinishReason.CapacityExhausted);
        return false;
    }

    /// <summary>Chooses the next token from the logits of a step that the caller ran.</summary>
    /// <param name="step">What the step took.</param>
    public void Take(TimeSpan step)
    {
        Choose();
        sequence.Record = sequence.Record with { Decode = _decode += step };
    }

    private void Begin()
    {
        sequence.Record = default;
        sequence.Sampler.Seed(options.Seed);
    }

    private static void RequireRoom(int tokens, int limit)
    {
        if (tokens > limit)
        {
            throw new PromptTooLongException(tokens, limit);
        }
    }

    private void Follow(ReadOnlySpan<int> rest, CancellationToken cancellationToken)
    {
        try
        {
            sequence.Record = new AnswerStatistics(sequence.Position, sequence.Position, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, 0, FinishReason.None) { ExitLayer = sequence.Pass.ExitLayer };
            Extend(rest, cancellationToken);
            Choose();
        }
        catch (OperationCanceledException)
        {
            Finish(FinishReason.Cancelled);
            throw;
        }
    }

    private void Extend(ReadOnlySpan<int> tokens, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        model.ExtendText(sequence, tokens, cancellationToken);
        AnswerStatistics soFar = sequence.Record;
        sequence.Record = soFar with
        {
            PromptTokens = soFar.PromptTokens + tokens.Length,
            Prefill = soFar.Prefill + Stopwatch.GetElapsedTime(start),
        };
    }

    private void Choose()
    {
        _token = sequence.Sampler.Next(sequence.Logits, options);
        _generated++;
        if (model.IsStop(_token))
        {
            Finish(FinishReason.Stop);
            return;
        }

        sequence.Pending = _token;
        Text = _stops.Append(FromFirstWord(_stream.Append(_token)));
        if (_stops.Found)
        {
            Finished = true;
            Report(FinishReason.StopSequence);
        }
        else if (_generated >= options.MaxNewTokens)
        {
            string last = Text;
            Finish(FinishReason.MaxNewTokens);
            Text = last + Text;
        }
        else
        {
            Report(FinishReason.None);
        }
    }

    private void Finish(FinishReason reason)
    {
        Finished = true;
        Text = _stops.Append(FromFirstWord(_stream.Flush()));
        Text += _stops.Flush();

        // What is held back at the end may complete a stop sequence too.
        Report(_stops.Found && reason != FinishReason.Cancelled ? FinishReason.StopSequence : reason);
    }

    // Templates end in a word such as "ASSISTANT:", so the first word of an answer brings the space between the two.
    private ReadOnlySpan<char> FromFirstWord(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> visible = _begun ? text : text.TrimStart();
        _begun |= visible.Length > 0;
        return visible;
    }

    private void Report(FinishReason reason) =>
        sequence.Record = sequence.Record with { GeneratedTokens = _generated, FinishReason = reason };
}
