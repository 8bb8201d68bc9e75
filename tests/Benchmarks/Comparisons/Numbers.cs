using Espalier.Benchmarks.Measuring;

namespace Espalier.Benchmarks.Comparisons;

/// <summary>Numbers as the tables show them.</summary>
internal static class Numbers
{
    /// <summary>Milliseconds with about three digits that count.</summary>
    public static string Time(double milliseconds) => milliseconds switch
    {
        >= 100 => $"{milliseconds:F0}",
        >= 10 => $"{milliseconds:F1}",
        >= 1 => $"{milliseconds:F2}",
        _ => $"{milliseconds:F3}",
    };

    /// <summary>The median and, in brackets, the quartiles.</summary>
    public static string Times(Spread spread) => $"{Time(spread.Median)} [{Time(spread.LowerQuartile)}, {Time(spread.UpperQuartile)}]";

    /// <summary>A ratio.</summary>
    public static string Ratio(double ratio) => $"{ratio:F3}";

    /// <summary>Quartiles of a ratio.</summary>
    public static string Quartiles(Spread spread) => $"[{spread.LowerQuartile:F3}, {spread.UpperQuartile:F3}]";

    /// <summary>A share in percent.</summary>
    public static string Percent(double share) => $"{100 * share:F1} %";
}
