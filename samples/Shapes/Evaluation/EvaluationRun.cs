using Espalier.Vision;

namespace Espalier.Samples.Shapes.Evaluation;

/// <summary>Asks every variant every question, in turns: whatever else the machine does then hits all variants alike.</summary>
internal sealed class EvaluationRun
{
    private const int WarmUpQuestions = 3;

    private readonly LoadedVariants _variants;
    private readonly Dictionary<string, RgbImage> _pictures = [];
    private readonly AnswerOptions _options = new() { MaxNewTokens = 16 };

    /// <summary>A run that has not started.</summary>
    /// <param name="variants">The variants, the dense one first.</param>
    /// <param name="questions">At least one.</param>
    public EvaluationRun(LoadedVariants variants, IReadOnlyList<Question> questions)
    {
        _variants = variants;
        Questions = questions;
        Scores = [.. Enumerable.Range(0, variants.Count).Select(i => new Scoreboard(variants[i].Variant))];
    }

    public IReadOnlyList<Question> Questions { get; }

    public IReadOnlyList<Scoreboard> Scores { get; }

    /// <summary>Questions that every variant has answered.</summary>
    public int Asked { get; private set; }

    /// <summary>Text tokens of the questions' prompts, prefix and suffix together; their median, since questions differ in length.</summary>
    public int TextTokens => (int)Median.Of(_textTokens);

    private readonly List<double> _textTokens = [];

    /// <summary>Asks all questions. Ends early, with what was answered so far, when it is cancelled.</summary>
    /// <param name="answered">Called after each question.</param>
    /// <param name="cancellationToken">Looked at before each layer of the model.</param>
    public async Task RunAsync(Action answered, CancellationToken cancellationToken)
    {
        try
        {
            // The first pass of a session allocates its buffers; nobody's time should contain that.
            foreach (Question question in Questions.Take(WarmUpQuestions))
            {
                await AnswersAsync(question, first: 0, cancellationToken);
            }

            foreach (Question question in Questions)
            {
                // Every variant goes first equally often: the first after a new picture finds colder caches.
                string[] answers = await AnswersAsync(question, first: Asked % _variants.Count, cancellationToken);
                AnswerStatistics dense = _variants[0].Statistics;
                _textTokens.Add(dense.PromptTokens - Variant.Dense.Plan.Geometry.VisualTokens);
                for (int i = 0; i < answers.Length; i++)
                {
                    Scores[i].Add(question, answers[i], _variants[i].Statistics, dense);
                }

                Asked++;
                answered();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // What was asked is kept; the caller sees how much that is.
        }
    }

    private async Task<string[]> AnswersAsync(Question question, int first, CancellationToken cancellationToken)
    {
        if (!_pictures.TryGetValue(question.Image, out RgbImage image))
        {
            _pictures.Add(question.Image, image = Pictures.Read(question.Image));
        }

        var answers = new string[_variants.Count];
        for (int turn = 0; turn < answers.Length; turn++)
        {
            int i = (first + turn) % answers.Length;
            answers[i] = await _variants[i].AnswerAsync(image, question.Text, _options, cancellationToken);
        }

        return answers;
    }
}
