using System.Diagnostics;

namespace Espalier;

// What a prompt and a token run: checks before the first native call, the compiled loop, and what the sequence notes behind it.
public abstract partial class VisionLanguageModel
{
    internal StepResult PrefillPixels(Sequence sequence, ReadOnlySpan<int> prefix, ReadOnlySpan<int> suffix, string? question, CancellationToken cancellationToken)
    {
        if (suffix.IsEmpty)
        {
            throw new ArgumentException("At least one token follows the image.", nameof(suffix));
        }

        _embeddings.Check(prefix);
        _embeddings.Check(suffix);
        // Whether a prompt fits is asked before the image is looked at, so an image counts with the most that it can take.
        if (prefix.Length + LoadedPlan.ImagePositions + suffix.Length > sequence.Capacity)
        {
            return StepResult.CapacityExhausted;
        }

        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            sequence.Image.Begin(cancellationToken);
            sequence.Image.ReadText(_embeddings, suffix);
            if (sequence.Image.ReadsQuestion)
            {
                sequence.Image.ReadQuestion(question ?? Tokenizer.Decode(suffix));
            }

            EncodeImage(sequence.Image);
            sequence.Image.End();
            TimeSpan vision = Stopwatch.GetElapsedTime(start);
            bool cached = EnsurePrefix(sequence, prefix, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            long projection = Stopwatch.GetTimestamp();
            sequence.Pass.LoadPrompt(sequence.Image, _embeddings, prefix, suffix, cancellationToken);
            vision += Stopwatch.GetElapsedTime(projection);
            Prefill(sequence.Pass);
            sequence.Pass.RequireLogits();
            int prompt = prefix.Length + sequence.Pass.Map.ImagePositions + LoadedPlan.Registers + suffix.Length;
            sequence.ImagePositions = sequence.Pass.Map.ImagePositions;
            sequence.Position = prompt - suffix.Length;
            sequence.BeginText(suffix);
            sequence.Record = new AnswerStatistics(
                prompt,
                cached ? prefix.Length : 0,
                vision,
                Stopwatch.GetElapsedTime(start) - vision,
                TimeSpan.Zero,
                0,
                FinishReason.None) { ExitLayer = sequence.Pass.ExitLayer };
            return StepResult.Ready;
        }
        catch
        {
            sequence.Abandon();
            throw;
        }
    }

    internal StepResult DecodeToken(Sequence sequence, int token, CancellationToken cancellationToken)
    {
        _embeddings.Check([token]);
        if (sequence.Position >= sequence.Limit)
        {
            return StepResult.CapacityExhausted;
        }

        try
        {
            sequence.Pass.LoadToken(_embeddings, token, sequence.Position, cancellationToken);
            Step(sequence);
            sequence.Pass.RequireLogits();
            sequence.AddText([token]);
            return StepResult.Ready;
        }
        catch
        {
            sequence.Abandon();
            throw;
        }
    }

    /// <summary>Runs the compiled decode step, on the device's own thread if it has one.</summary>
    private void Step(Sequence sequence)
    {
        if (_sessions.Thread is { } thread)
        {
            thread.Run(sequence.Step ??= StepOf(sequence));
            return;
        }

        DecodeStep(sequence.Pass);
    }

    // A method of its own: its closure is made once a sequence, and not where nobody needs it.
    private Action StepOf(Sequence sequence) => () => DecodeStep(sequence.Pass);

    private bool EnsurePrefix(Sequence sequence, ReadOnlySpan<int> prefix, CancellationToken cancellationToken)
    {
        if (sequence.HoldsPrefix(prefix) && sequence.Pass.HoldsPrefix)
        {
            return true;
        }

        bool restored = _prefixes.TryRestore(prefix, sequence.Pass.Cache);
        if (!restored && !prefix.IsEmpty)
        {
            sequence.Pass.RunPrefix(_embeddings, prefix, cancellationToken);
            _prefixes.Store(prefix, sequence.Pass.Cache);
        }

        sequence.RememberPrefix(prefix);
        return restored;
    }
}
