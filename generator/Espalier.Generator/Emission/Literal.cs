using System;
using System.Globalization;
using System.Text;

namespace Espalier.Emission;

/// <summary>Writes values as C# writes them, the same on every culture.</summary>
internal static class Literal
{
    public static string Of(int value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Of(float value) => value.ToString("R", CultureInfo.InvariantCulture) + "f";

    public static string Of(bool value) => value ? "true" : "false";

    public static string Of<T>(T value)
        where T : struct, Enum => typeof(T).Name + "." + value;

    /// <summary>A string literal on one line.</summary>
    public static string Of(string value)
    {
        var text = new StringBuilder("\"");
        foreach (char c in value)
        {
            switch (c)
            {
                case '"' or '\\':
                    text.Append('\\').Append(c);
                    break;
                case < ' ' or '\u007f' or '\u0085' or '\u2028' or '\u2029':
                    text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                    break;
                default:
                    text.Append(c);
                    break;
            }
        }

        return text.Append('"').ToString();
    }

    /// <summary>Text inside of an XML documentation comment, on one line.</summary>
    public static string Documentation(string value)
    {
        var text = new StringBuilder();
        foreach (char c in value)
        {
            text.Append(c switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                < ' ' or '\u007f' or '\u0085' or '\u2028' or '\u2029' => " ",
                _ => c.ToString(),
            });
        }

        return text.ToString();
    }
}
