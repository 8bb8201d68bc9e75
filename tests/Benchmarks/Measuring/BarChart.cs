namespace Espalier.Benchmarks.Measuring;

/// <summary>A picture of numbers, drawn later: one bar each.</summary>
/// <param name="Title">What they are.</param>
/// <param name="Unit">What they are in.</param>
/// <param name="Bars">The numbers.</param>
internal sealed record BarChart(string Title, string Unit, IReadOnlyList<Bar> Bars);

/// <summary>One number with how far it scatters.</summary>
/// <param name="Name">What it is of.</param>
/// <param name="Value">The median.</param>
/// <param name="Low">The lower quartile.</param>
/// <param name="High">The upper quartile.</param>
/// <param name="Mark">What theory says, or an aim; null for none.</param>
internal sealed record Bar(string Name, double Value, double Low, double High, double? Mark = null)
{
    /// <summary>A bar of a spread.</summary>
    public static Bar Of(string name, Spread spread, double? mark = null) => new(name, spread.Median, spread.LowerQuartile, spread.UpperQuartile, mark);
}
