using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

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

    private readonly string _text;

    /// <summary>Names of the fields around the current position. Joined only for a message: joining at every field would be quadratic in a hostile file.</summary>
    private readonly Stack<string> _enclosing;
    private int _position;
    private int _line;
    private int _lineStart;
    private GeometryProblem? _problem;

    private ConfigParser(string text)
    {
        _text = text;
        _enclosing = new Stack<string>();
        _line = 1;
    }

    private readonly int Column => _position - _lineStart + 1;

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
        if (_text.Length > 0 && _text[0] == '\uFEFF')
        {
            _position = 1;
            _lineStart = 1;
        }

        SkipWhiteSpace();
        ConfigValue? root = ReadValue(depth: 1);
        SkipWhiteSpace();
        if (_problem is null && _position < _text.Length)
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
        if (_position >= _text.Length)
        {
            return Malformed("A JSON value was expected, but the text ends.");
        }

        switch (_text[_position])
        {
            case '{':
                return depth > MaxDepth ? TooDeep() : ReadObject(depth);
            case '[':
                return depth > MaxDepth ? TooDeep() : ReadArray(depth);
            case '"':
                int line = _line;
                int column = Column;
                string? text = ReadString();
                return text is null ? null : ConfigValue.Scalar(ConfigKind.String, text, line, column);
            case 't':
                return ReadLiteral("true", ConfigKind.Boolean);
            case 'f':
                return ReadLiteral("false", ConfigKind.Boolean);
            case 'n':
                return ReadLiteral("null", ConfigKind.Null);
            default:
                return ReadNumber();
        }
    }

    private ConfigValue? ReadObject(int depth)
    {
        int line = _line;
        int column = Column;
        var members = new List<KeyValuePair<string, ConfigValue>>();
        var index = new Dictionary<string, ConfigValue>(StringComparer.Ordinal);
        _position++;
        SkipWhiteSpace();
        if (TryTake('}'))
        {
            return ConfigValue.Object(members, index, line, column);
        }

        while (true)
        {
            if (_position >= _text.Length || _text[_position] != '"')
            {
                return Malformed("A field name in double quotes was expected.");
            }

            int nameLine = _line;
            int nameColumn = Column;
            string? name = ReadString();
            if (name is null)
            {
                return null;
            }

            if (index.ContainsKey(name))
            {
                _problem = new GeometryProblem(GeometryRule.DuplicateField, PathOf(name), "given twice", "Keep one of the two: other readers may take the other one.", nameLine, nameColumn);
                return null;
            }

            SkipWhiteSpace();
            if (!TryTake(':'))
            {
                return Malformed("A colon was expected behind the field name.");
            }

            SkipWhiteSpace();
            _enclosing.Push(name);
            ConfigValue? value = ReadValue(depth + 1);
            if (value is null)
            {
                return null;
            }

            _ = _enclosing.Pop();

            index.Add(name, value);
            members.Add(new KeyValuePair<string, ConfigValue>(name, value));
            SkipWhiteSpace();
            if (TryTake('}'))
            {
                return ConfigValue.Object(members, index, line, column);
            }

            if (!TryTake(','))
            {
                return Malformed("A comma or a closing brace was expected.");
            }

            SkipWhiteSpace();
        }
    }

    private ConfigValue? ReadArray(int depth)
    {
        int line = _line;
        int column = Column;
        var items = new List<ConfigValue>();
        _position++;
        SkipWhiteSpace();
        if (TryTake(']'))
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
            SkipWhiteSpace();
            if (TryTake(']'))
            {
                return ConfigValue.Array(items, line, column);
            }

            if (!TryTake(','))
            {
                return Malformed("A comma or a closing bracket was expected.");
            }

            SkipWhiteSpace();
        }
    }

    private string? ReadString()
    {
        _position++;
        int start = _position;
        while (_position < _text.Length && _text[_position] is not ('"' or '\\') and >= ' ')
        {
            _position++;
        }

        if (_position < _text.Length && _text[_position] == '"')
        {
            return _text.Substring(start, _position++ - start);
        }

        var unescaped = new StringBuilder(_text, start, _position - start, Math.Max(16, 2 * (_position - start)));
        while (_position < _text.Length)
        {
            char c = _text[_position++];
            if (c == '"')
            {
                return unescaped.ToString();
            }

            if (c < ' ')
            {
                _position--;
                Malformed("A string must not hold a control character; escape it.");
                return null;
            }

            if (c != '\\')
            {
                unescaped.Append(c);
            }
            else if (!TryReadEscape(unescaped))
            {
                Malformed("An unknown escape stands in a string.");
                return null;
            }
        }

        Malformed("The text ends inside a string.");
        return null;
    }

    private bool TryReadEscape(StringBuilder unescaped)
    {
        if (_position >= _text.Length)
        {
            return false;
        }

        char c = _text[_position++];
        switch (c)
        {
            case '"' or '\\' or '/':
                unescaped.Append(c);
                return true;
            case 'b':
                unescaped.Append('\b');
                return true;
            case 'f':
                unescaped.Append('\f');
                return true;
            case 'n':
                unescaped.Append('\n');
                return true;
            case 'r':
                unescaped.Append('\r');
                return true;
            case 't':
                unescaped.Append('\t');
                return true;
            case 'u':
                if (_text.Length - _position < 4
                    || !ushort.TryParse(_text.Substring(_position, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit))
                {
                    return false;
                }

                _position += 4;
                unescaped.Append((char)unit);
                return true;
            default:
                return false;
        }
    }

    private ConfigValue? ReadLiteral(string literal, ConfigKind kind)
    {
        if (string.CompareOrdinal(_text, _position, literal, 0, literal.Length) != 0)
        {
            return Malformed("A JSON value was expected.");
        }

        var value = ConfigValue.Scalar(kind, literal, _line, Column);
        _position += literal.Length;
        return value;
    }

    private ConfigValue? ReadNumber()
    {
        int start = _position;
        int column = Column;
        _ = TryTake('-');
        int digits = _position;
        if (!TakeDigits() || (_text[digits] == '0' && _position - digits > 1))
        {
            _position = start;
            return Malformed("A JSON value was expected.");
        }

        if (TryTake('.') && !TakeDigits())
        {
            return Malformed("A digit was expected behind the decimal point.");
        }

        if (TryTake('e') || TryTake('E'))
        {
            _ = TryTake('+') || TryTake('-');
            if (!TakeDigits())
            {
                return Malformed("A digit was expected in the exponent.");
            }
        }

        return ConfigValue.Scalar(ConfigKind.Number, _text.Substring(start, _position - start), _line, column);
    }

    private bool TakeDigits()
    {
        int start = _position;
        while (_position < _text.Length && _text[_position] is >= '0' and <= '9')
        {
            _position++;
        }

        return _position > start;
    }

    private bool TryTake(char expected)
    {
        if (_position < _text.Length && _text[_position] == expected)
        {
            _position++;
            return true;
        }

        return false;
    }

    private void SkipWhiteSpace()
    {
        while (_position < _text.Length && _text[_position] is ' ' or '\t' or '\r' or '\n')
        {
            if (_text[_position++] == '\n')
            {
                _line++;
                _lineStart = _position;
            }
        }
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
        _problem ??= new GeometryProblem(GeometryRule.MalformedJson, string.Empty, null, "The file is not valid JSON. " + finding, _line, Column);
        return null;
    }
}
