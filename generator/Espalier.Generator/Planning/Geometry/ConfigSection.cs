using System.Collections.Generic;
using System.Globalization;

namespace Espalier.Planning;

/// <summary>One object of a config, read field by field. The first broken rule is kept; reading goes on with defaults, so no caller has to branch.</summary>
/// <remarks>Sections of one document share their findings. An absent section (null) reads as an object without fields. Not thread-safe.</remarks>
internal sealed class ConfigSection
{
    private static readonly char[] FractionMarks = ['.', 'e', 'E'];

    private readonly ConfigValue? _object;
    private readonly string _path;
    private readonly Findings _findings;

    private ConfigSection(ConfigValue? value, string path, Findings findings)
    {
        _object = value;
        _path = path;
        _findings = findings;
    }

    /// <summary>The first broken rule of the whole document, or null.</summary>
    public GeometryProblem? Problem => _findings.First;

    /// <summary>True if the object is in the file.</summary>
    public bool IsPresent => _object is not null;

    /// <summary>The fields in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, ConfigValue>> Fields => _object?.Members ?? [];

    public static ConfigSection Root(ConfigValue root) => new(root, string.Empty, new Findings());

    /// <summary>The object in field <paramref name="name"/>; an absent section if the field is absent or null.</summary>
    public ConfigSection Section(string name)
    {
        ConfigValue? value = NonNull(name);
        if (value is not null && value.Kind != ConfigKind.Object)
        {
            Report(GeometryRule.WrongType, name, "It must be an object.");
            value = null;
        }

        return new ConfigSection(value, PathOf(name), _findings);
    }

    /// <summary>The raw value of a field; null if it is absent or a JSON null, which Hugging Face writes for "the default".</summary>
    public ConfigValue? NonNull(string name)
    {
        ConfigValue? value = _object?.Field(name);
        return value is null || value.Kind == ConfigKind.Null ? null : value;
    }

    /// <summary>True if the field is in the file, even as a JSON null.</summary>
    public bool Has(string name) => _object?.Field(name) is not null;

    /// <summary>A whole number in a range, or <paramref name="absent"/>.</summary>
    public int Integer(string name, int absent, int min, int max)
    {
        ConfigValue? value = NonNull(name);
        if (value is null)
        {
            return absent;
        }

        string expected = string.Format(CultureInfo.InvariantCulture, "It must be a whole number from {0} to {1}.", min, max);
        if (!value.TryGetInteger(out long number))
        {
            bool tooLong = value.Kind == ConfigKind.Number && value.Text.IndexOfAny(FractionMarks) < 0;
            Report(tooLong ? GeometryRule.OutOfRange : GeometryRule.WrongType, name, expected);
            return absent;
        }

        if (number < min || number > max)
        {
            Report(GeometryRule.OutOfRange, name, expected);
            return absent;
        }

        return (int)number;
    }

    /// <summary>A number in a range, or <paramref name="absent"/>.</summary>
    public float Number(string name, float absent, double min, double max)
    {
        ConfigValue? value = NonNull(name);
        if (value is null)
        {
            return absent;
        }

        string expected = string.Format(CultureInfo.InvariantCulture, "It must be a number from {0:R} to {1:R}.", min, max);
        if (value.Kind != ConfigKind.Number)
        {
            Report(GeometryRule.WrongType, name, expected);
            return absent;
        }

        if (!value.TryGetNumber(out double number) || !(number >= min && number <= max))
        {
            Report(GeometryRule.OutOfRange, name, expected);
            return absent;
        }

        return (float)number;
    }

    /// <summary><c>true</c> or <c>false</c>, or <paramref name="absent"/>.</summary>
    public bool Flag(string name, bool absent)
    {
        ConfigValue? value = NonNull(name);
        if (value is null)
        {
            return absent;
        }

        if (value.Kind != ConfigKind.Boolean)
        {
            Report(GeometryRule.WrongType, name, "It must be true or false.");
            return absent;
        }

        return value.IsTrue;
    }

    /// <summary>A string, or <paramref name="absent"/>.</summary>
    public string Word(string name, string absent)
    {
        ConfigValue? value = NonNull(name);
        if (value is null)
        {
            return absent;
        }

        if (value.Kind != ConfigKind.String)
        {
            Report(GeometryRule.WrongType, name, "It must be a string.");
            return absent;
        }

        return value.Text;
    }

    /// <summary>Notes a broken rule at a field, unless one was noted before.</summary>
    public void Report(GeometryRule rule, string name, string expected)
    {
        if (_findings.First is null)
        {
            ConfigValue? value = _object?.Field(name);
            _findings.First = new GeometryProblem(rule, PathOf(ConfigValue.Shorten(name)), value?.Render(), expected, value?.Line ?? 0, value?.Column ?? 0);
        }
    }

    private string PathOf(string name) => _path.Length == 0 ? name : _path + "." + name;

    private sealed class Findings
    {
        public GeometryProblem? First { get; set; }
    }
}
