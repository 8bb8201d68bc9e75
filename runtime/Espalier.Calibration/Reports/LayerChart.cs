using System.Globalization;

namespace Espalier.Evaluation;

/// <summary>Something that was measured at every layer: one line a series.</summary>
internal static class LayerChart
{
    private const double Left = 70, Width = 560, Height = 260, Top = 40;

    /// <summary>Draws lines. Where values span more than two orders of magnitude the axis is logarithmic, and a value of 0 lies on its foot.</summary>
    /// <param name="title">What it is.</param>
    /// <param name="unit">What the values are in.</param>
    /// <param name="firstLayer">The layer of the first value.</param>
    /// <param name="series">Name and values; all of one length.</param>
    /// <param name="threshold">A line across, or null.</param>
    public static string Draw(string title, string unit, int firstLayer, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> series, double? threshold)
    {
        int count = series[0].Values.Count;
        double[] all = [.. series.SelectMany(static one => one.Values), .. threshold is { } line ? [line] : Array.Empty<double>()];
        double top = Math.Max(all.Max(), double.Epsilon);
        double foot = all.Where(static value => value > 0).DefaultIfEmpty(top).Min();
        bool isLogarithmic = top > 100 * foot;
        double legend = Top + Height + 56;
        var svg = new Svg(Left + Width + 40, legend + (series.Count * 18) + 8, $"{title} by layer, in {unit}");
        double X(int i) => Left + ((i + 0.5) * Width / count);
        double Share(double value) => isLogarithmic
            ? (value <= 0 ? 0 : (Math.Log10(value) - Math.Floor(Math.Log10(foot))) / Math.Max(1, Math.Ceiling(Math.Log10(top)) - Math.Floor(Math.Log10(foot))))
            : value / top;
        double Y(double value) => Top + Height - (Share(value) * Height);

        svg.Words(Left, 24, $"{title}, {unit}");
        foreach (double tick in Ticks(foot, top, isLogarithmic))
        {
            svg.Line(Svg.Faint, 1, dashed: false, (Left, Y(tick)), (Left + Width, Y(tick)));
            svg.Words(Left - 6, Y(tick) + 4, tick.ToString("G3", CultureInfo.InvariantCulture), "end");
        }

        int step = Math.Max(1, (int)Math.Ceiling(count / 20.0));
        for (int i = 0; i < count; i += step)
        {
            svg.Words(X(i), Top + Height + 16, (firstLayer + i).ToString(CultureInfo.InvariantCulture), "middle");
        }

        svg.Words(Left + (Width / 2), Top + Height + 34, "layer", "middle");
        if (threshold is { } across)
        {
            svg.Line(Svg.Ink, 1, dashed: true, (Left, Y(across)), (Left + Width, Y(across)));
        }

        for (int s = 0; s < series.Count; s++)
        {
            string colour = Svg.Colour(s + 1);
            (double, double)[] points = [.. series[s].Values.Select((value, i) => (X(i), Y(value)))];
            svg.Line(colour, 2, dashed: false, points);
            foreach ((double x, double y) in points)
            {
                svg.Dot(x, y, colour);
            }

            svg.Box(Left, legend + (s * 18) - 9, 14, 10, colour);
            svg.Words(Left + 20, legend + (s * 18), series[s].Name);
        }

        return svg.ToString();
    }

    private static IEnumerable<double> Ticks(double foot, double top, bool isLogarithmic)
    {
        if (!isLogarithmic)
        {
            return Enumerable.Range(0, 5).Select(i => i * top / 4);
        }

        int low = (int)Math.Floor(Math.Log10(foot));
        int high = (int)Math.Ceiling(Math.Log10(top));
        return Enumerable.Range(low, high - low + 1).Select(static power => Math.Pow(10, power));
    }
}
