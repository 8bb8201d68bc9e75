using System;
using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>Reads JSON strictly by RFC 8259: no comments, no trailing commas, no <c>NaN</c>, no field twice, nesting of at most <see cref="MaxDepth"/>.</summary>
/// <remarks>
/// One reader for compiler and runtime, so that both see the same model in the same file and reject it with the same words.
/// System.Text.Json would have to travel with the analyzer, and the JSON reader of netstandard2.0 maps JSON to XML,
/// which lets malformed numbers and duplicate names pass and forgets positions. Time and memory are linear in the text.
/// </remarks>
internal ref struct ConfigParser
{
    public const int MaxDepth = 64;

    /// <summary>Names of the fields around the current position. Joined only for a message: joining at every field would be quadratic in a hostile file.</summary>
    private readonly Stack<string> _enclosing;
    private ConfigScanner _text;
    private GeometryProblem? _problem;

    private ConfigParser(string text)
    {
        _text = new ConfigScanner(text);
        _enclosing = new Stack<string>();
    }

    /// <summary>Parses a document whose root is an object. Never throws; null and a problem for any other text.</summary>
    public static ConfigValue? Parse(string text, out GeometryProblem? problem)
    {
        var parser = new ConfigParser(text);
        ConfigValue? root = parser.ReadDocument();
        problem = parser._problem;
        return problem is null ? root : null;
    }

    private ConfigValue? ReadDocument()
    {
        _text.SkipWhiteSpace();
        ConfigValue? root = ReadValue(depth: 1);
        _text.SkipWhiteSpace();
        if (_problem is null && !_text.IsAtEnd)
        {
            return Malformed("The text goes on behind the end of the JSON value.");
        }

        if (_problem is null && root!.Kind != ConfigKind.Object)
        {
            _problem = new GeometryProblem(GeometryRule.MalformedJson, string.Empty, root.Render(), "The file must hold a JSON object, but holds " + root.Render() + ".", root.Line, root.Column);
        }

        return root;
    }

    private ConfigValue? ReadValue(int depth)
    {
        if (_text.IsAtEnd)
        {
            return Malformed("A JSON value was expected, but the text ends.");
        }

        switch (_text.Next)
        {
            case '{':
                return depth > MaxDepth ? TooDeep() : ReadObject(depth);
            case '[':
                return depth > MaxDepth ? TooDeep() : ReadArray(depth);
            case '"':
                return ReadScalar(ConfigKind.String);
            case 't':
                return ReadScalar(ConfigKind.Boolean, "true");
            case 'f':
                return ReadScalar(ConfigKind.Boolean, "false");
            case 'n':
                return ReadScalar(ConfigKind.Null, "null");
            default:
                return ReadScalar(ConfigKind.Number);
        }
    }

    private ConfigValue? ReadObject(int depth)
    {
        int line = _text.Line;
        int column = _text.Column;
        var members = new List<KeyValuePair<string, ConfigValue>>();
        var index = new Dictionary<string, ConfigValue>(StringComparer.Ordinal);
        _ = _text.TryTake('{');
        _text.SkipWhiteSpace();
        if (_text.TryTake('}'))
        {
            return ConfigValue.Object(members, index, line, column);
        }

        while (true)
        {
            if (_text.IsAtEnd || _text.Next != '"')
            {
                return Malformed("A field name in double quotes was expected.");
            }

            int nameLine = _text.Line;
            int nameColumn = _text.Column;
            string? name = _text.ReadString();
            if (name is null)
            {
                return Malformed(_text.Finding!);
            }

            if (index.ContainsKey(name))
            {
                _problem = new GeometryProblem(GeometryRule.DuplicateField, PathOf(name), "given twice", "Keep one of the two: other readers may take the other one.", nameLine, nameColumn);
                return null;
            }

            _text.SkipWhiteSpace();
            if (!_text.TryTake(':'))
            {
                return Malformed("A colon was expected behind the field name.");
            }

            _text.SkipWhiteSpace();
            _enclosing.Push(name);
            ConfigValue? value = ReadValue(depth + 1);
            if (value is null)
            {
                return null;
            }

            _ = _enclosing.Pop();

            index.Add(name, value);
            members.Add(new KeyValuePair<string, ConfigValue>(name, value));
            _text.SkipWhiteSpace();
            if (_text.TryTake('}'))
            {
                return ConfigValue.Object(members, index, line, column);
            }

            if (!_text.TryTake(','))
            {
                return Malformed("A comma or a closing brace was expected.");
            }

            _text.SkipWhiteSpace();
        }
    }

    private ConfigValue? ReadArray(int depth)
    {
        int line = _text.Line;
        int column = _text.Column;
        var items = new List<ConfigValue>();
        _ = _text.TryTake('[');
        _text.SkipWhiteSpace();
        if (_text.TryTake(']'))
        {
            return ConfigValue.Array(items, line, column);
        }

        while (true)
        {
            ConfigValue? item = ReadValue(depth + 1);
            if (item is null)
            {
                return null;
            }

            items.Add(item);
            _text.SkipWhiteSpace();
            if (_text.TryTake(']'))
            {
                return ConfigValue.Array(items, line, column);
            }

            if (!_text.TryTake(','))
            {
                return Malformed("A comma or a closing bracket was expected.");
            }

            _text.SkipWhiteSpace();
        }
    }

    private ConfigValue? ReadScalar(ConfigKind kind, string? word = null)
    {
        int line = _text.Line;
        int column = _text.Column;
        string? text = kind switch
        {
            ConfigKind.String => _text.ReadString(),
            ConfigKind.Number => _text.ReadNumber(),
            _ => _text.ReadWord(word!),
        };
        return text is null ? Malformed(_text.Finding!) : ConfigValue.Scalar(kind, text, line, column);
    }

    private readonly string PathOf(string name)
    {
        string path = ConfigValue.Shorten(name);
        foreach (string enclosing in _enclosing)
        {
            path = ConfigValue.Shorten(enclosing) + "." + path;
        }

        return path;
    }

    private ConfigValue? TooDeep() => Malformed("Objects and arrays are nested more than 64 deep.");

    private ConfigValue? Malformed(string finding)
    {
        _problem ??= new GeometryProblem(GeometryRule.MalformedJson, string.Empty, null, "The file is not valid JSON. " + finding, _text.Line, _text.Column);
        return null;
    }
}
