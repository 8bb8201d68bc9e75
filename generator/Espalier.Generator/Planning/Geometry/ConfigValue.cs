using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Espalier.Planning;

/// <summary>The JSON types.</summary>
internal enum ConfigKind
{
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// <summary>A JSON value that remembers where it stood, so that a finding can point at it. Immutable once parsed.</summary>
internal sealed class ConfigValue
{
    /// <summary>Longest rendering of a value in a message.</summary>
    private const int LongestRendering = 60;

    private readonly List<KeyValuePair<string, ConfigValue>>? _members;
    private readonly Dictionary<string, ConfigValue>? _index;

    private ConfigValue(ConfigKind kind, string text, int line, int column)
    {
        Kind = kind;
        Text = text;
        Line = line;
        Column = column;
        Items = [];
    }

    private ConfigValue(List<KeyValuePair<string, ConfigValue>> members, Dictionary<string, ConfigValue> index, int line, int column)
        : this(ConfigKind.Object, string.Empty, line, column)
    {
        _members = members;
        _index = index;
    }

    private ConfigValue(IReadOnlyList<ConfigValue> items, int line, int column)
        : this(ConfigKind.Array, string.Empty, line, column) => Items = items;

    public ConfigKind Kind { get; }

    /// <summary>The characters of a string without its escapes, the token of a number, <c>true</c>, <c>false</c>, <c>null</c>; else empty.</summary>
    public string Text { get; }

    public int Line { get; }

    public int Column { get; }

    public IReadOnlyList<ConfigValue> Items { get; }

    /// <summary>The fields of an object in the order of the file; empty for every other kind.</summary>
    public IReadOnlyList<KeyValuePair<string, ConfigValue>> Members => _members is null ? [] : _members;

    public bool IsTrue => Kind == ConfigKind.Boolean && Text == "true";

    public static ConfigValue Scalar(ConfigKind kind, string text, int line, int column) => new(kind, text, line, column);

    public static ConfigValue Array(IReadOnlyList<ConfigValue> items, int line, int column) => new(items, line, column);

    public static ConfigValue Object(List<KeyValuePair<string, ConfigValue>> members, Dictionary<string, ConfigValue> index, int line, int column)
        => new(members, index, line, column);

    /// <summary>The field <paramref name="name"/>, or null if it is absent. A JSON <c>null</c> is a value, not an absence.</summary>
    public ConfigValue? Field(string name)
        => _index is not null && _index.TryGetValue(name, out ConfigValue? value) ? value : null;

    /// <summary>A number without fraction and exponent that fits 64 bits.</summary>
    public bool TryGetInteger(out long value)
    {
        value = 0;
        return Kind == ConfigKind.Number && long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>A finite number. Overflow is an infinity on .NET and a refusal on .NET Framework, where an IDE may run the generator: both are false here.</summary>
    public bool TryGetNumber(out double value)
    {
        value = 0;
        return Kind == ConfigKind.Number
            && double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out value)
            && !double.IsInfinity(value);
    }

    /// <summary>One short line for a message; control characters and the like are escaped, so that a hostile file cannot format our text.</summary>
    public string Render()
    {
        switch (Kind)
        {
            case ConfigKind.Object:
                return "an object";
            case ConfigKind.Array:
                return "an array";
            case ConfigKind.String:
                return "\"" + Shorten(Text) + "\"";
            default:
                return Shorten(Text);
        }
    }

    /// <summary>About <paramref name="longest"/> printable ASCII characters at most, the rest escaped or cut.</summary>
    public static string Shorten(string text, int longest = LongestRendering)
    {
        var rendering = new StringBuilder();
        foreach (char c in text)
        {
            if (rendering.Length >= longest)
            {
                return rendering.Append("...").ToString();
            }

            if (c is < ' ' or > '~')
            {
                rendering.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            }
            else
            {
                rendering.Append(c);
            }
        }

        return rendering.ToString();
    }
}
