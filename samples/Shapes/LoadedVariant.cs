using System.Text;
using Espalier.Vision;

namespace Espalier.Samples.Shapes;

/// <summary>A variant that is ready to answer: its model and one sequence.</summary>
internal sealed class LoadedVariant : IDisposable
{
    private readonly VisionLanguageModel _model;
    private readonly Sequence _sequence;

    public LoadedVariant(Variant variant, Checkpoint checkpoint)
    {
        Variant = variant;
        _model = variant.Load(checkpoint, new ModelOptions { Device = Device.Auto });
        try
        {
            // As long as the model was trained for: a few megabytes, and no answer of this model comes near it.
            _sequence = _model.CreateSequence(variant.Plan.Geometry.Text.MaxPositions);
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    public Variant Variant { get; }

    /// <summary>What the last answer took.</summary>
    public AnswerStatistics Statistics => _sequence.Statistics;

    /// <summary>The answer as it is generated.</summary>
    public IAsyncEnumerable<string> StreamAsync(RgbImage image, string question, AnswerOptions options, CancellationToken cancellationToken) =>
        _model.AnswerAsync(_sequence, image, question, options, cancellationToken);

    /// <summary>The whole answer.</summary>
    public async Task<string> AnswerAsync(RgbImage image, string question, AnswerOptions options, CancellationToken cancellationToken)
    {
        var answer = new StringBuilder();
        await foreach (string text in StreamAsync(image, question, options, cancellationToken).ConfigureAwait(false))
        {
            answer.Append(text);
        }

        return answer.ToString().TrimEnd();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sequence.Dispose();
        _model.Dispose();
    }
}
