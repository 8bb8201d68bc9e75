using System.Globalization;
using Espalier.Planning;

namespace Espalier.Evaluation;

/// <summary>Plans side by side: the visual rows of each layer, and below them operations and cache against the dense model.</summary>
internal static class PlanChart
{
    private const double Left = 60, Width = 640, PlotHeight = 220, Top = 40, Bar = 12;

    /// <summary>Draws plans of one model.</summary>
    /// <param name="plans">Their names and the plans, at least one; the first is the dense one.</param>
    /// <param name="textTokens">Text rows that the costs hold for.</param>
    public static string Draw(IReadOnlyList<(string Name, ReductionPlan Plan)> plans, int textTokens)
    {
        int layers = plans[0].Plan.Layers;
        int most = plans[0].Plan.Geometry.VisualTokens;
        double legend = Top + PlotHeight + 56;
        double bars = legend + (plans.Count * 18) + 34;
        var svg = new Svg(Left + Math.Max(Width + 40, 36 + plans.Max(static plan => Svg.WidthOf(plan.Name))), bars + (plans.Count * ((2 * Bar) + 14)) + 24, "Visual rows a layer, operations and KV cache of " + string.Join(", ", plans.Select(static plan => plan.Name)));
        svg.Words(Left, 24, string.Create(CultureInfo.InvariantCulture, $"Visual rows a decoder layer works on (of {most}); dashed: frozen, read but not updated"));
        double X(double layer) => Left + (layer / layers * Width);
        double Y(double rows) => Top + PlotHeight - (rows / most * PlotHeight);
        foreach (double share in (double[])[0, 0.25, 0.5, 0.75, 1])
        {
            svg.Line(Svg.Faint, 1, dashed: false, (Left, Y(most * share)), (Left + Width, Y(most * share)));
            svg.Words(Left - 6, Y(most * share) + 4, ReportTable.Number(Math.Round(most * share), "F0"), "end");
        }

        int stride = Math.Max(1, layers / 16);
        for (int layer = 0; layer < layers; layer += stride)
        {
            svg.Words(X(layer + 0.5), Top + PlotHeight + 16, ReportTable.Number(layer, "F0"), "middle");
        }

        svg.Words(Left + (Width / 2), Top + PlotHeight + 34, "layer", "middle");
        for (int i = 0; i < plans.Count; i++)
        {
            // Plans that agree lie on one another; a small shift shows all of them.
            double shift = (i - ((plans.Count - 1) / 2.0)) * 2.25;
            (double X, double Y)? end = null;
            foreach (Segment segment in plans[i].Plan.Segments)
            {
                (double X, double Y) start = (X(segment.FirstLayer), Y(segment.VisualTokens) + shift);
                (double X, double Y) stop = (X(segment.LastLayer + 1), start.Y);
                if (end is { } last)
                {
                    svg.Line(Svg.Colour(i), 2, dashed: false, last, start);
                }

                svg.Line(Svg.Colour(i), 2, segment.Mode == LayerMode.Frozen, start, stop);
                end = stop;
            }

            svg.Box(Left, legend + (i * 18) - 9, 14, 10, Svg.Colour(i));
            svg.Words(Left + 20, legend + (i * 18), plans[i].Name);
        }

        svg.Words(Left, bars - 12, string.Create(CultureInfo.InvariantCulture, $"Of the dense model, with {textTokens} text tokens: operations of prefill (convention C), KV cache"));
        for (int i = 0; i < plans.Count; i++)
        {
            ReductionPlan plan = plans[i].Plan;
            double y = bars + (i * ((2 * Bar) + 14));
            Draw(svg, y, "FLOPs", plan.Flops(FlopsConvention.C, textTokens) / plan.DenseFlops(FlopsConvention.C, textTokens), Svg.Colour(i));
            Draw(svg, y + Bar + 2, "KV", (double)plan.KeyValueBytes(textTokens) / plan.DenseKeyValueBytes(textTokens), Svg.Colour(i));
        }

        return svg.ToString();
    }

    private static void Draw(Svg svg, double y, string name, double share, string colour)
    {
        const double Most = Width - 60;
        svg.Words(Left - 6, y + Bar - 2, name, "end");
        svg.Box(Left, y, Most, Bar, "#f6f8fa");
        svg.Box(Left, y, Most * Math.Min(share, 1), Bar, colour);
        svg.Words(Left + Most + 8, y + Bar - 2, ReportTable.Share(share));
    }
}
