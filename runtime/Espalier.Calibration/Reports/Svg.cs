using System.Globalization;
using System.Text;

namespace Espalier.Evaluation;

/// <summary>Writes a picture as SVG: lines, boxes, dots and words. The same bytes on every machine and culture.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class Svg
{
    /// <summary>Ink for words and axes.</summary>
    public const string Ink = "#24292f";

    /// <summary>Ink for what stays in the background.</summary>
    public const string Faint = "#d0d7de";

    /// <summary>Ink for lines that lead from words to what they name.</summary>
    public const string Leader = "#8c959f";

    /// <summary>About how wide a line of words is; no font is asked, since every machine has another.</summary>
    public static double WidthOf(string words) => 6.6 * words.Length;

    // Told apart by colour-blind readers too (Okabe and Ito).
    private static readonly string[] Palette = ["#6e7781", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31"];

    private readonly StringBuilder _text = new();

    /// <summary>Starts a picture.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="title">What it shows, for those who cannot see it.</param>
    public Svg(double width, double height, string title)
    {
        _text.Append(Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:0.##} {height:0.##}\" width=\"{width:0.##}\" height=\"{height:0.##}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n"));
        _text.Append("<title>").Append(Escape(title)).Append("</title>\n");
        Box(0, 0, width, height, "#ffffff");
    }

    /// <summary>The colour of the series with an index; the first is grey, for the baseline.</summary>
    public static string Colour(int index) => Palette[index == 0 ? 0 : 1 + ((index - 1) % (Palette.Length - 1))];

    /// <summary>A line through points.</summary>
    public void Line(string colour, double width, bool dashed, params ReadOnlySpan<(double X, double Y)> points)
    {
        _text.Append(Invariant($"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width:0.##}\"{(dashed ? " stroke-dasharray=\"4 3\"" : "")} points=\""));
        foreach ((double x, double y) in points)
        {
            _text.Append(Invariant($"{x:0.##},{y:0.##} "));
        }

        _text.Length--;
        _text.Append("\"/>\n");
    }

    /// <summary>A filled box.</summary>
    public void Box(double x, double y, double width, double height, string colour) =>
        _text.Append(Invariant($"<rect x=\"{x:0.##}\" y=\"{y:0.##}\" width=\"{width:0.##}\" height=\"{height:0.##}\" fill=\"{colour}\"/>\n"));

    /// <summary>A dot.</summary>
    public void Dot(double x, double y, string colour) =>
        _text.Append(Invariant($"<circle cx=\"{x:0.##}\" cy=\"{y:0.##}\" r=\"4\" fill=\"{colour}\"/>\n"));

    /// <summary>Words on one line.</summary>
    /// <param name="x">Where they start, stand in the middle of, or end.</param>
    /// <param name="y">Their base line.</param>
    /// <param name="words">The words.</param>
    /// <param name="anchor"><c>start</c>, <c>middle</c> or <c>end</c>.</param>
    /// <param name="colour">Their colour.</param>
    public void Words(double x, double y, string words, string anchor = "start", string colour = Ink) =>
        _text.Append(Invariant($"<text x=\"{x:0.##}\" y=\"{y:0.##}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{Escape(words)}</text>\n"));

    /// <summary>The whole file; lines end with a line feed.</summary>
    public override string ToString() => _text + "</svg>\n";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Escape(string words)
    {
        var text = new StringBuilder(words.Length);
        foreach (char c in words)
        {
            // What XML has no place for at all becomes a blank.
            text.Append(c switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '"' => "&quot;", < ' ' or '\ufffe' or '\uffff' => " ", _ => c.ToString() });
        }

        return text.ToString();
    }
}
