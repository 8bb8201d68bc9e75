namespace Espalier.Samples.Shapes.Evaluation;

/// <summary>What one variant got right, and what it took.</summary>
internal sealed class Scoreboard(Variant variant)
{
    private readonly Dictionary<string, (int Right, int Asked)> _byType = [];
    private readonly List<double> _vision = [];
    private readonly List<double> _prefill = [];
    private readonly List<double> _prefillOfDense = [];
    private readonly List<double> _decodeStep = [];

    public Variant Variant { get; } = variant;

    /// <summary>Median times in milliseconds; a decode step is one token.</summary>
    public double Vision => Median.Of(_vision);

    public double Prefill => Median.Of(_prefill);

    public double DecodeStep => Median.Of(_decodeStep);

    /// <summary>Median over the questions of the prefill time divided by the dense model's on the same question.</summary>
    public double PrefillOfDense => Median.Of(_prefillOfDense);

    /// <summary>Share of right answers over all questions; NaN if none was asked.</summary>
    public double Accuracy => Share(_byType.Values.Sum(count => count.Right), _byType.Values.Sum(count => count.Asked));

    /// <summary>Share of right answers to one type of question; NaN if none was asked.</summary>
    public double AccuracyOf(string type) => _byType.TryGetValue(type, out (int Right, int Asked) count) ? Share(count.Right, count.Asked) : double.NaN;

    /// <summary>Notes one answer.</summary>
    public void Add(Question question, string answer, AnswerStatistics taken, AnswerStatistics dense)
    {
        (int right, int asked) = _byType.GetValueOrDefault(question.Type);
        _byType[question.Type] = (right + (answer == question.Answer ? 1 : 0), asked + 1);
        _vision.Add(taken.Vision.TotalMilliseconds);
        _prefill.Add(taken.Prefill.TotalMilliseconds);
        _prefillOfDense.Add(taken.Prefill / dense.Prefill);
        if (taken.GeneratedTokens > 1)
        {
            _decodeStep.Add(taken.Decode.TotalMilliseconds / (taken.GeneratedTokens - 1));
        }
    }

    private static double Share(int right, int asked) => asked == 0 ? double.NaN : (double)right / asked;
}
