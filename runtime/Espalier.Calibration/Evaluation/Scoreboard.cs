namespace Espalier.Evaluation;

/// <summary>What one candidate got right, and what it took.</summary>
internal sealed class Scoreboard(Candidate candidate, IReadOnlyList<Metric> metrics)
{
    private readonly Dictionary<string, (double Sum, int Asked)> _byType = [];
    private readonly double[] _sums = new double[metrics.Count];
    private readonly List<double> _vision = [];
    private readonly List<double> _prefill = [];
    private readonly List<double> _prefillOfDense = [];
    private readonly List<double> _decodeStep = [];
    private int _asked;

    /// <summary>Whose board it is.</summary>
    public Candidate Candidate { get; } = candidate;

    /// <summary>Median times in milliseconds; a decode step is one token.</summary>
    public double Vision => Median.Of(_vision);

    /// <inheritdoc cref="Vision"/>
    public double Prefill => Median.Of(_prefill);

    /// <inheritdoc cref="Vision"/>
    public double DecodeStep => Median.Of(_decodeStep);

    /// <summary>Median over the questions of the prefill time divided by the first candidate's on the same question.</summary>
    public double PrefillOfDense => Median.Of(_prefillOfDense);

    /// <summary>Mean of a metric over all questions; NaN if none was asked.</summary>
    public double Mean(int metric) => _asked == 0 ? double.NaN : _sums[metric] / _asked;

    /// <summary>Mean of the first metric over one type of question; NaN if none was asked.</summary>
    public double MeanOf(string type) => _byType.TryGetValue(type, out (double Sum, int Asked) count) ? count.Sum / count.Asked : double.NaN;

    /// <summary>Notes one answer.</summary>
    public void Add(Question question, TakenAnswer answer, TakenAnswer dense)
    {
        for (int i = 0; i < metrics.Count; i++)
        {
            double score = metrics[i].Score(answer.Text, question.Answers);
            _sums[i] += score;
            if (i == 0)
            {
                (double sum, int asked) = _byType.GetValueOrDefault(question.Type);
                _byType[question.Type] = (sum + score, asked + 1);
            }
        }

        _asked++;
        _vision.Add(answer.Vision);
        _prefill.Add(answer.Prefill);
        _prefillOfDense.Add(answer.Prefill / dense.Prefill);
        if (answer.Step > 0)
        {
            _decodeStep.Add(answer.Step);
        }
    }
}
