namespace Espalier.Evaluation;

/// <summary>What plans cost and what they get right: one dot a plan.</summary>
internal static class ScoreChart
{
    private const double Left = 60, Width = 560, Height = 300, Top = 40;

    /// <summary>Draws the plans.</summary>
    /// <param name="points">Name, share of what the dense model costs, score from 0 to 1.</param>
    /// <param name="metric">What the score is.</param>
    /// <param name="cost">What the share is of.</param>
    public static string Draw(IReadOnlyList<(string Name, double Cost, double Score)> points, string metric, string cost = "operations")
    {
        double legend = Top + Height + 56;
        var svg = new Svg(Left + Width + 40, legend + (points.Count * 18) + 8, metric + " against " + cost + " of " + string.Join(", ", points.Select(static point => point.Name)));
        double low = Math.Floor(Math.Max(0, points.Min(static point => point.Score) - 0.02) * 10) / 10;
        double X(double share) => Left + (share * Width);
        double Y(double score) => Top + Height - ((score - low) / (1 - low) * Height);
        if (low >= 1)
        {
            low = 0.9;
        }

        svg.Words(Left, 24, metric + " against the dense model's " + (cost == "operations" ? "operations of prefill" : cost));
        for (int i = 0; i <= 4; i++)
        {
            double score = low + (i * (1 - low) / 4);
            svg.Line(Svg.Faint, 1, dashed: false, (Left, Y(score)), (Left + Width, Y(score)));
            svg.Words(Left - 6, Y(score) + 4, ReportTable.Number(100 * score, "F0") + " %", "end");
            svg.Words(X(i / 4.0), Top + Height + 16, ReportTable.Number(25 * i, "F0") + " %", "middle");
        }

        svg.Words(Left + (Width / 2), Top + Height + 34, cost, "middle");
        for (int i = 0; i < points.Count; i++)
        {
            // Colours come round again; numbers do not.
            string number = (i + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
            svg.Dot(X(Math.Min(points[i].Cost, 1)), Y(points[i].Score), Svg.Colour(i));
            svg.Words(X(Math.Min(points[i].Cost, 1)) + 6, Y(points[i].Score) + 4, number);
            svg.Box(Left, legend + (i * 18) - 9, 14, 10, Svg.Colour(i));
            svg.Words(Left + 20, legend + (i * 18), $"{number} {points[i].Name}: {ReportTable.Share(points[i].Score)} at {ReportTable.Share(points[i].Cost)}");
        }

        return svg.ToString();
    }
}
