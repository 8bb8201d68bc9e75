using System.Globalization;
using Espalier.Imaging;
using Espalier.Vision;

namespace Espalier.Evaluation;

/// <summary>Asks every candidate every question, in turns: whatever else the machine does then hits all candidates alike.</summary>
internal sealed class EvaluationRun
{
    private const int WarmUpQuestions = 3;

    private readonly Dictionary<string, RgbImage> _pictures = [];
    private readonly List<double> _textTokens = [];

    /// <summary>A run that has not started.</summary>
    /// <param name="candidates">The candidates; times are told relative to the first, which is the dense model.</param>
    /// <param name="questions">At least one.</param>
    /// <param name="metrics">At least one; the first is also told by type of question.</param>
    public EvaluationRun(IReadOnlyList<Candidate> candidates, IReadOnlyList<Question> questions, IReadOnlyList<Metric> metrics)
    {
        Questions = questions;
        Metrics = metrics;
        Scores = [.. candidates.Select(candidate => new Scoreboard(candidate, metrics))];
    }

    /// <summary>What is asked.</summary>
    public IReadOnlyList<Question> Questions { get; }

    /// <summary>What is told of the answers.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>A board a candidate.</summary>
    public IReadOnlyList<Scoreboard> Scores { get; }

    /// <summary>Questions that every candidate has answered.</summary>
    public int Asked { get; private set; }

    /// <summary>Text tokens of the questions' prompts, prefix and suffix together; their median, since questions differ in length.</summary>
    public int TextTokens => _textTokens.Count == 0 ? 0 : (int)Median.Of(_textTokens);

    /// <summary>Notes the answers to the next question, which were given now or in an earlier run.</summary>
    public void Add(IReadOnlyList<TakenAnswer> answers)
    {
        Question question = Questions[Asked];
        _textTokens.Add(answers[0].PromptTokens - Scores[0].Candidate.Plan.ImagePositions);
        for (int i = 0; i < answers.Count; i++)
        {
            Scores[i].Add(question, answers[i], answers[0]);
        }

        Asked++;
    }

    /// <summary>Asks all questions that were not asked yet. Ends early, with what was answered so far, when it is cancelled.</summary>
    /// <param name="models">The candidates, loaded.</param>
    /// <param name="options">Sampling and length.</param>
    /// <param name="answered">Called with the answers to each question, before they count.</param>
    /// <param name="cancellationToken">Looked at before each layer of the model.</param>
    /// <exception cref="InputException">A picture is none.</exception>
    public async Task AskAsync(IReadOnlyList<LoadedCandidate> models, AnswerOptions options, Action<Question, IReadOnlyList<TakenAnswer>> answered, CancellationToken cancellationToken)
    {
        try
        {
            // The first pass of a session allocates its buffers; nobody's time should contain that.
            foreach (Question question in Questions.Skip(Asked).Take(WarmUpQuestions))
            {
                await AnswersAsync(models, options, question, first: 0, cancellationToken).ConfigureAwait(false);
            }

            while (Asked < Questions.Count)
            {
                // Every candidate goes first equally often: the first after a new picture finds colder caches.
                Question question = Questions[Asked];
                TakenAnswer[] answers = await AnswersAsync(models, options, question, first: Asked % models.Count, cancellationToken).ConfigureAwait(false);
                answered(question, answers);
                Add(answers);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // What was asked is kept; the caller sees how much that is.
        }
    }

    private static RgbImage Read(Question question)
    {
        try
        {
            return Pictures.Read(question.Image);
        }
        catch (ImageException exception)
        {
            throw new InputException(string.Create(CultureInfo.InvariantCulture, $"line {question.Line}: {exception.Message}"));
        }
    }

    private async Task<TakenAnswer[]> AnswersAsync(IReadOnlyList<LoadedCandidate> models, AnswerOptions options, Question question, int first, CancellationToken cancellationToken)
    {
        if (!_pictures.TryGetValue(question.Image, out RgbImage image))
        {
            // Questions about one picture usually follow each other; data sets do not fit into memory.
            _pictures.Clear();
            _pictures.Add(question.Image, image = Read(question));
        }

        var answers = new TakenAnswer[models.Count];
        for (int turn = 0; turn < answers.Length; turn++)
        {
            int i = (first + turn) % answers.Length;
            answers[i] = TakenAnswer.Of(await models[i].AnswerAsync(image, question.Text, options, cancellationToken).ConfigureAwait(false), models[i].Statistics);
        }

        return answers;
    }
}
