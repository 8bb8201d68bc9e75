using System.Diagnostics;
using Espalier.Text;
using Espalier.Vision;

namespace Espalier;

/// <summary>An answer while it is generated: prompt, sampling, detokenising, statistics.</summary>
/// <remarks>Not thread-safe; its sequence is held by the caller for as long as the answer runs.</remarks>
internal sealed class Answer(VisionLanguageModel model, Sequence sequence, AnswerOptions options)
{
    private readonly TextStream _stream = model.Tokenizer.CreateTextStream();
    private int _token;
    private int _generated;
    private TimeSpan _decode;
    private bool _begun;

    /// <summary>The text that the last call produced; may be empty.</summary>
    public string Text { get; private set; } = "";

    /// <summary>True if no call may follow.</summary>
    public bool Finished { get; private set; }

    /// <summary>Runs the prompt and chooses the first token.</summary>
    public void Start(in RgbImage image, string question, CancellationToken cancellationToken)
    {
        sequence.Statistics = default;
        try
        {
            Run(image, question, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Finish(FinishReason.Cancelled);
            throw;
        }
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
            sequence.Statistics = sequence.Statistics with { Decode = _decode += Stopwatch.GetElapsedTime(start) };
        }
    }

    private void Run(in RgbImage image, string question, CancellationToken cancellationToken)
    {
        Prompt prompt = model.Prompt.Build(model.Tokenizer, question, model.LoadedPlan.Geometry.ImageTokenId);
        sequence.Sampler.Seed(options.Seed);
        model.Preprocessor.Process(image, sequence.Image.Pixels);
        if (model.PrefillPixels(sequence, prompt.Prefix, prompt.Suffix, cancellationToken) == StepResult.CapacityExhausted)
        {
            throw new PromptTooLongException(prompt.Prefix.Length + model.LoadedPlan.ImagePositions + prompt.Suffix.Length, sequence.Capacity);
        }

        Choose();
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

        Text = FromFirstWord(_stream.Append(_token));
        if (_generated >= options.MaxNewTokens)
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
        Text = FromFirstWord(_stream.Flush());
        Report(reason);
    }

    // Templates end in a word such as "ASSISTANT:", so the first word of an answer brings the space between the two.
    private string FromFirstWord(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> visible = _begun ? text : text.TrimStart();
        _begun |= visible.Length > 0;
        return visible.ToString();
    }

    private void Report(FinishReason reason) =>
        sequence.Statistics = sequence.Statistics with { GeneratedTokens = _generated, FinishReason = reason };
}
