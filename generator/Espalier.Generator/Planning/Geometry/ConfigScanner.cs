using System;
using System.Globalization;
using System.Text;

namespace Espalier.Planning;

/// <summary>Walks over the text of a JSON document, token by token, and knows at which line and column it stands.</summary>
/// <remarks>Where a token is none by RFC 8259, <see cref="Finding"/> says why.</remarks>
internal ref struct ConfigScanner
{
    private readonly string _text;
    private int _position;
    private int _lineStart;

    /// <summary>Stands before the first character, behind a byte order mark.</summary>
    public ConfigScanner(string text)
    {
        _text = text;
        Line = 1;
        if (text.Length > 0 && text[0] == '\uFEFF')
        {
            _position = 1;
            _lineStart = 1;
        }
    }

    /// <summary>The current line, from 1 on.</summary>
    public int Line { get; private set; }

    /// <summary>The current column, from 1 on.</summary>
    public readonly int Column => _position - _lineStart + 1;

    /// <summary>True behind the last character.</summary>
    public readonly bool IsAtEnd => _position >= _text.Length;

    /// <summary>The next character; not asked for at the end.</summary>
    public readonly char Next => _text[_position];

    /// <summary>Why the last token that was asked for is none; null as long as all were.</summary>
    public string? Finding { get; private set; }

    /// <summary>Steps over white space.</summary>
    public void SkipWhiteSpace()
    {
        while (_position < _text.Length && _text[_position] is ' ' or '\t' or '\r' or '\n')
        {
            if (_text[_position++] == '\n')
            {
                Line++;
                _lineStart = _position;
            }
        }
    }

    /// <summary>Steps over a character if it is the next one.</summary>
    public bool TryTake(char expected)
    {
        if (!IsAtEnd && Next == expected)
        {
            _position++;
            return true;
        }

        return false;
    }

    /// <summary>Steps over a word if it comes next.</summary>
    public string? ReadWord(string word)
    {
        if (string.CompareOrdinal(_text, _position, word, 0, word.Length) != 0)
        {
            return Fail("A JSON value was expected.");
        }

        _position += word.Length;
        return word;
    }

    /// <summary>Reads a number, as it is written.</summary>
    public string? ReadNumber()
    {
        int start = _position;
        _ = TryTake('-');
        int digits = _position;
        if (!TakeDigits() || (_text[digits] == '0' && _position - digits > 1))
        {
            _position = start;
            return Fail("A JSON value was expected.");
        }

        if (TryTake('.') && !TakeDigits())
        {
            return Fail("A digit was expected behind the decimal point.");
        }

        if (TryTake('e') || TryTake('E'))
        {
            _ = TryTake('+') || TryTake('-');
            if (!TakeDigits())
            {
                return Fail("A digit was expected in the exponent.");
            }
        }

        return _text.Substring(start, _position - start);
    }

    /// <summary>Reads a string that begins here, and resolves its escapes.</summary>
    public string? ReadString()
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
                return Fail("A string must not hold a control character; escape it.");
            }

            if (c != '\\')
            {
                unescaped.Append(c);
            }
            else if (!TryReadEscape(unescaped))
            {
                return Fail("An unknown escape stands in a string.");
            }
        }

        return Fail("The text ends inside a string.");
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

    private bool TakeDigits()
    {
        int start = _position;
        while (_position < _text.Length && _text[_position] is >= '0' and <= '9')
        {
            _position++;
        }

        return _position > start;
    }

    private string? Fail(string finding)
    {
        Finding ??= finding;
        return null;
    }
}
