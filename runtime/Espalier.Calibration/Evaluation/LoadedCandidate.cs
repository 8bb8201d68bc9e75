using System.Runtime.CompilerServices;
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
    public int VisualTokensKept => KeptOf(Statistics);

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

    /// <summary>Answers many questions, several at a time, in the order in which they get complete.</summary>
    /// <param name="questions">The questions.</param>
    /// <param name="together">How many at a time.</param>
    /// <param name="options">Sampling and length.</param>
    /// <param name="cancellationToken">Ends all of it.</param>
    public async IAsyncEnumerable<BatchAnswer> AnswerAllAsync(IAsyncEnumerable<BatchQuestion> questions, int together, AnswerOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using SequenceBatch batch = _model.CreateBatch(together, _sequence.Capacity);
        await foreach (BatchAnswer answer in _model.AnswerAsync(batch, questions, options, progress: null, cancellationToken).ConfigureAwait(false))
        {
            yield return answer with { Text = answer.Text.TrimEnd() };
        }
    }

    /// <summary>Visual tokens that the last layer worked on in an answer.</summary>
    public static int KeptOf(AnswerStatistics statistics) => statistics.ExitLayer is null ? statistics.VisualTokens[^1] : 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        _sequence.Dispose();
        _model.Dispose();
    }
}
