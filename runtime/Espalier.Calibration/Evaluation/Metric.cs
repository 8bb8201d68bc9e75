using System.Globalization;

namespace Espalier.Evaluation;

/// <summary>How well an answer agrees with the right ones: 0 to 1, the best of the right answers.</summary>
/// <remarks>Upper and lower case are not told apart, and white space at the ends does not count: every published evaluation of the three does so.</remarks>
internal sealed class Metric
{
    /// <summary>Below this likeness an answer counts nothing in ANLS.</summary>
    private const double AnlsThreshold = 0.5;

    private readonly Func<string, string, double> _score;

    private Metric(string name, string heading, Func<string, string, double> score)
    {
        Name = name;
        Heading = heading;
        _score = score;
    }

    /// <summary>1 if the answer is a right one.</summary>
    public static Metric Exact { get; } = new("exact", "exact", static (answer, right) => answer == right ? 1 : 0);

    /// <summary>As <see cref="Exact"/>, and a number counts if it is within 5 % of the right one; <c>5%</c> is 0.05 (ChartQA, arXiv 2203.10244, section 5.1, after PlotQA, arXiv 1909.00997).</summary>
    public static Metric Relaxed { get; } = new("relaxed", "relaxed", static (answer, right) =>
        Number(answer) is { } number && Number(right) is { } target && target != 0
            ? (Math.Abs(number - target) / Math.Abs(target) <= 0.05 ? 1 : 0)
            : answer == right ? 1 : 0);

    /// <summary>Average normalised Levenshtein similarity: 1 less the edits over the longer length, and 0 from half of it on (ST-VQA, arXiv 1905.13648, section 4).</summary>
    public static Metric Anls { get; } = new("anls", "ANLS", static (answer, right) =>
    {
        int longer = Math.Max(answer.Length, right.Length);
        double distance = longer == 0 ? 0 : (double)Edits(answer, right) / longer;
        return distance < AnlsThreshold ? 1 - distance : 0;
    });

    /// <summary>All three.</summary>
    public static IReadOnlyList<Metric> All { get; } = [Exact, Relaxed, Anls];

    /// <summary>Lower case, as options name it.</summary>
    public string Name { get; }

    /// <summary>As a table's column names it.</summary>
    public string Heading { get; }

    /// <summary>The metric of a name.</summary>
    public static Metric Named(string name) => All.First(metric => metric.Name == name);

    /// <summary>The score of an answer.</summary>
    public double Score(string answer, IReadOnlyList<string> right)
    {
        string given = Plain(answer);
        double best = 0;
        foreach (string one in right)
        {
            best = Math.Max(best, _score(given, Plain(one)));
        }

        return best;
    }

    private static string Plain(string text) => text.Trim().ToLowerInvariant();

    private static double? Number(string text)
    {
        bool isPercent = text.EndsWith('%');
        return double.TryParse(isPercent ? text.AsSpan(0, text.Length - 1) : text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? (isPercent ? number / 100 : number)
            : null;
    }

    private static int Edits(string left, string right)
    {
        var row = new int[right.Length + 1];
        for (int j = 0; j < row.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
