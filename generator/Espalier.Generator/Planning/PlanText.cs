using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Espalier.Planning;

/// <summary>Writes numbers and layers the same way on every culture.</summary>
internal static class PlanText
{
    /// <summary>An integer without separators, as C# writes it.</summary>
    public static string Plain(int value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The shortest text that reads back as the same number.</summary>
    public static string Plain(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A count with commas between the thousands.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A share in percent with one digit behind the point; 100 % of nothing is 100 %.</summary>
    public static string Percent(double part, double whole) =>
        (whole == 0 ? 100.0 : 100.0 * part / whole).ToString("F1", CultureInfo.InvariantCulture) + " %";

    /// <summary>Floating point operations with three digits and the unit that fits the larger number of a pair.</summary>
    public static string Flops(double flops, double scaleOf)
    {
        (double unit, string name) = scaleOf >= 1e12 ? (1e12, "TFLOPs") : scaleOf >= 1e9 ? (1e9, "GFLOPs") : (1e6, "MFLOPs");
        return (flops / unit).ToString("F3", CultureInfo.InvariantCulture) + " " + name;
    }

    /// <summary>Bytes in MiB or KiB, whichever fits the larger number of a pair.</summary>
    public static string Bytes(long bytes, long scaleOf)
    {
        (double unit, string name) = scaleOf >= 1 << 20 ? (1 << 20, "MiB") : (1 << 10, "KiB");
        return (bytes / unit).ToString("F1", CultureInfo.InvariantCulture) + " " + name;
    }

    /// <summary>"layer 5" or "layers 5-7".</summary>
    public static string Layers(int first, int last) => first == last ? "layer " + Plain(first) : "layers " + Range(first, last);

    /// <summary>"5" or "5-7".</summary>
    public static string Range(int first, int last) => first == last ? Plain(first) : Plain(first) + "-" + Plain(last);

    /// <summary>Ascending layers as runs: "layers 5-7, 9".</summary>
    public static string Layers(IReadOnlyList<int> ascending)
    {
        var text = new StringBuilder(ascending.Count == 1 ? "layer " : "layers ");
        for (int i = 0; i < ascending.Count;)
        {
            int end = i;
            while (end + 1 < ascending.Count && ascending[end + 1] == ascending[end] + 1)
            {
                end++;
            }

            text.Append(i == 0 ? "" : ", ").Append(Range(ascending[i], ascending[end]));
            i = end + 1;
        }

        return text.ToString();
    }
}
