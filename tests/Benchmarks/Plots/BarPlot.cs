using System.Globalization;
using Espalier.Benchmarks.Measuring;
using Espalier.Evaluation;

namespace Espalier.Benchmarks.Plots;

/// <summary>Draws numbers as bars that lie below each other, with their quartiles and what theory says.</summary>
internal static class BarPlot
{
    private const double Width = 480, Top = 44, RowHeight = 22, LetterWidth = 6.6;

    /// <summary>Draws a chart. The same bytes on every machine and culture.</summary>
    /// <param name="chart">The numbers.</param>
    /// <param name="source">Where they are from.</param>
    public static string Draw(BarChart chart, string source)
    {
        double left = 24 + (chart.Bars.Max(static bar => bar.Name.Length) * LetterWidth);
        double bottom = Top + (chart.Bars.Count * RowHeight);
        double most = Math.Max(chart.Bars.Max(static bar => Math.Max(bar.High, bar.Mark ?? 0)), double.Epsilon);
        string legend = "Bars: medians. Thin lines: quartiles." + (chart.Bars.Any(static bar => bar.Mark is not null) ? " Upright lines: theory or aim." : "");
        double width = Math.Max(left + Width + 90, 24 + (Math.Max(legend.Length, source.Length) * LetterWidth));
        var svg = new Svg(width, bottom + 64, $"{chart.Title}, {chart.Unit}");
        svg.Words(12, 24, $"{chart.Title}, {chart.Unit}");
        double step = RoundStep(most);
        for (int i = 0; i * step <= most; i++)
        {
            double x = left + (i * step / most * Width);
            svg.Line(Svg.Faint, 1, dashed: false, (x, Top), (x, bottom));
            svg.Words(x, bottom + 16, Number(i * step), "middle");
        }

        for (int i = 0; i < chart.Bars.Count; i++)
        {
            Bar bar = chart.Bars[i];
            double y = Top + (i * RowHeight);
            svg.Words(left - 8, y + 15, bar.Name, "end");
            svg.Box(left, y + 4, bar.Value / most * Width, RowHeight - 8, Svg.Colour(i == 0 ? 0 : 1));
            double middle = y + (RowHeight / 2);
            svg.Line(Svg.Ink, 1, dashed: false, (left + (bar.Low / most * Width), middle), (left + (bar.High / most * Width), middle));
            if (bar.Mark is { } mark)
            {
                double x = left + (mark / most * Width);
                svg.Line(Svg.Colour(2), 2, dashed: false, (x, y + 2), (x, y + RowHeight - 2));
            }

            svg.Words(left + (Math.Max(bar.High, bar.Mark ?? 0) / most * Width) + 8, y + 15, Number(bar.Value));
        }

        svg.Words(12, bottom + 36, legend, colour: Svg.Colour(0));
        svg.Words(12, bottom + 54, source, colour: Svg.Colour(0));
        return svg.ToString();
    }

    /// <summary>The step of an axis: 1, 2 or 5 times a power of ten, three to seven of them.</summary>
    private static double RoundStep(double most)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(most / 3)));
        return power * (most / (5 * power) >= 3 ? 5 : most / (2 * power) >= 3 ? 2 : 1);
    }

    private static string Number(double number) => number.ToString(number >= 1000 ? "F0" : "G3", CultureInfo.InvariantCulture);
}
