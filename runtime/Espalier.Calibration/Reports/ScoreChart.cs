using System.Globalization;

namespace Espalier.Evaluation;

/// <summary>What plans cost and what they get right: one dot a plan, numbered, and a list of the numbers below.</summary>
internal static class ScoreChart
{
    private const double Left = 60, Width = 700, Height = 320, Top = 40, LineHeight = 18;

    /// <summary>Draws the plans.</summary>
    /// <param name="points">Name, share of what the dense model costs, score from 0 to 1.</param>
    /// <param name="metric">What the score is.</param>
    /// <param name="cost">What the share is of.</param>
    public static string Draw(IReadOnlyList<(string Name, double Cost, double Score)> points, string metric, string cost = "operations")
    {
        string[] legend = [.. points.Select(static (point, i) => $"{Plain(i + 1)} {point.Name}: {ReportTable.Share(point.Score)} at {ReportTable.Share(point.Cost)}")];
        double columnWidth = legend.Max(Svg.WidthOf) + 36;
        int columns = Math.Max(1, (int)(Width / columnWidth));
        int rows = (points.Count + columns - 1) / columns;
        double legendTop = Top + Height + 60;
        var svg = new Svg(Left + Math.Max(Width + 40, columnWidth), legendTop + (rows * LineHeight) + 8, metric + " against " + cost + " of " + string.Join(", ", points.Select(static point => point.Name)));
        double low = Math.Floor(Math.Max(0, points.Min(static point => point.Score) - 0.02) * 10) / 10;
        double X(double share) => Left + (share * Width);
        double Y(double score) => Top + Height - ((score - low) / (1 - low) * Height);
        if (low >= 1)
        {
            low = 0.9;
        }

        svg.Words(Left, 24, $"Score ({metric}) against the share of the dense model's {(cost == "operations" ? "operations of prefill" : cost)}");
        for (int i = 0; i <= 4; i++)
        {
            double score = low + (i * (1 - low) / 4);
            svg.Line(Svg.Faint, 1, dashed: false, (Left, Y(score)), (Left + Width, Y(score)));
            svg.Words(Left - 6, Y(score) + 4, ReportTable.Number(100 * score, "0.#") + " %", "end");
            svg.Words(X(i / 4.0), Top + Height + 16, ReportTable.Number(25 * i, "F0") + " %", "middle");
        }

        svg.Words(Left + (Width / 2), Top + Height + 36, cost, "middle");
        (double X, double Y)[] dots = [.. points.Select(point => (X(Math.Min(point.Cost, 1)), Y(point.Score)))];
        (double X, double Y)[] labels = Labels(dots);
        for (int i = 0; i < points.Count; i++)
        {
            // In a crowd a number may stand nearer to another dot than to its own.
            double Away((double X, double Y) dot) => Math.Sqrt(Math.Pow(labels[i].X + 7 - dot.X, 2) + Math.Pow(labels[i].Y - dot.Y, 2));
            double own = Away(dots[i]);
            if (own > 20 || dots.Any(dot => Away(dot) < own - 0.5))
            {
                svg.Line(Svg.Leader, 0.75, dashed: false, dots[i], (labels[i].X + (labels[i].X < dots[i].X ? 14 : 0), labels[i].Y));
            }
        }

        for (int i = 0; i < points.Count; i++)
        {
            // Colours come round again; numbers do not.
            svg.Dot(dots[i].X, dots[i].Y, Svg.Colour(i));
            svg.Words(labels[i].X, labels[i].Y + 4, Plain(i + 1));
            double x = Left + (i / rows * columnWidth);
            double y = legendTop + (i % rows * LineHeight);
            svg.Box(x, y - 9, 14, 10, Svg.Colour(i));
            svg.Words(x + 20, y, legend[i]);
        }

        return svg.ToString();
    }

    /// <summary>A place for each number: right of its dot, or the nearest around it that no dot and no other number covers.</summary>
    private static (double X, double Y)[] Labels((double X, double Y)[] dots)
    {
        (double X, double Y)[] around = [(6, 0), (-20, 0), (-6, -12), (-6, 12), (6, -12), (6, 12), (-20, -12), (-20, 12), (6, -24), (6, 24), (-20, -24), (-20, 24), (22, 0), (22, -12), (22, 12), (22, -24), (22, 24), (-36, 0), (-36, -12), (-36, 12), (-36, -24), (-36, 24), (38, 0), (38, -12), (38, 12), (38, -24), (38, 24), (6, -36), (6, 36), (-20, -36), (-20, 36)];
        var labels = new (double X, double Y)[dots.Length];
        for (int i = 0; i < dots.Length; i++)
        {
            bool IsFree((double X, double Y) offset)
            {
                (double x, double y) = (dots[i].X + offset.X, dots[i].Y + offset.Y);
                return !dots.Any(dot => dot.X + 4 > x && dot.X - 4 < x + 14 && Math.Abs(dot.Y - y) < 9)
                    && !labels.Take(i).Any(label => Math.Abs(label.X - x) < 16 && Math.Abs(label.Y - y) < 11);
            }

            (double X, double Y) chosen = around.Where(IsFree).DefaultIfEmpty(around[0]).First();
            labels[i] = (dots[i].X + chosen.X, dots[i].Y + chosen.Y);
        }

        return labels;
    }

    private static string Plain(int number) => number.ToString(CultureInfo.InvariantCulture);
}
