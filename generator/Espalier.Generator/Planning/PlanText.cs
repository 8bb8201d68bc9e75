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

    /// <summary>"8 registers" or "1 register".</summary>
    public static string Registers(int count) => Count(count) + (count == 1 ? " register" : " registers");

    /// <summary>A share in percent with one digit behind the point; 100 % of nothing is 100 %.</summary>
    public static string Percent(double part, double whole) =>
        (whole == 0 ? 100.0 : 100.0 * part / whole).ToString("F1", CultureInfo.InvariantCulture) + " %";

    private static string Fixed(double value, int digits) => value.ToString("F" + Plain(digits), CultureInfo.InvariantCulture);

    /// <summary>"1.149 of 2.019 GFLOPs (56.9 %)": a part of a whole, in the unit that fits the whole. The caller closes the parenthesis, behind what it adds.</summary>
    public static string FlopsOf(double part, double whole)
    {
        (double unit, string name) = whole >= 1e12 ? (1e12, "TFLOPs") : whole >= 1e9 ? (1e9, "GFLOPs") : (1e6, "MFLOPs");
        return Fixed(part / unit, 3) + " of " + Fixed(whole / unit, 3) + " " + name + " (" + Percent(part, whole);
    }

    /// <summary>"1.0 of 1.5 MiB (68.8 %)": a part of a whole, in the unit that fits the whole. The caller closes the parenthesis.</summary>
    public static string BytesOf(long part, long whole)
    {
        (double unit, string name) = whole >= 1 << 20 ? (1 << 20, "MiB") : (1 << 10, "KiB");
        return Fixed(part / unit, 1) + " of " + Fixed(whole / unit, 1) + " " + name + " (" + Percent(part, whole);
    }

    /// <summary>"NormScorer" of "global::Samples.NormScorer": a type without its namespaces, type arguments left as they are.</summary>
    public static string ShortType(string fullName)
    {
        int generic = fullName.IndexOf('<');
        int start = fullName.LastIndexOfAny(new[] { '.', ':' }, (generic < 0 ? fullName.Length : generic) - 1);
        return fullName.Substring(start + 1);
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
