using System.Text;
using Espalier.Vision;

namespace Espalier.Evaluation;

/// <summary>A candidate that is ready to answer: its model and one sequence.</summary>
internal sealed class LoadedCandidate : IDisposable
{
    private readonly VisionLanguageModel _model;
    private readonly Sequence _sequence;

    /// <summary>Loads the model.</summary>
    /// <param name="candidate">What to load.</param>
    /// <param name="checkpoint">The weights.</param>
    /// <param name="options">Device and precision.</param>
    /// <param name="capacity">Positions of the sequence; what the model was trained for is the most.</param>
    public LoadedCandidate(Candidate candidate, Checkpoint checkpoint, ModelOptions options, int capacity)
    {
        Candidate = candidate;
        _model = candidate.Load(checkpoint, options);
        try
        {
            _sequence = _model.CreateSequence(Math.Min(capacity, candidate.Plan.Geometry.Text.MaxPositions));
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    /// <summary>What was loaded.</summary>
    public Candidate Candidate { get; }

    /// <summary>What the last answer took.</summary>
    public AnswerStatistics Statistics => _sequence.Statistics;

    /// <summary>Visual tokens that the last layer worked on in the last answer.</summary>
    public int VisualTokensKept => Statistics.ExitLayer is null ? Statistics.VisualTokens[^1] : 0;

    /// <summary>Visual tokens that the last answer's image became.</summary>
    public int VisualTokens => Candidate.Plan.Geometry.VisualTokens;

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
