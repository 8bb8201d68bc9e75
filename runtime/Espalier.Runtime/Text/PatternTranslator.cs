using System.Globalization;
using System.Text;

namespace Espalier.Text;

/// <summary>Translates a regular expression of a tokenizer file (Oniguruma's syntax and meaning) into one for .NET with the same meaning, or refuses it.</summary>
/// <remarks>Every piece of syntax is either known here and rewritten, or an error: a pattern that .NET would read differently splits text differently, silently.
/// Rewritten are possessive quantifiers, <c>\w</c>, <c>.</c>, anchors, scoped case-insensitivity (ASCII letters) and characters (as <c>\uXXXX</c>).</remarks>
internal sealed partial class PatternTranslator
{
    private const int MaximumDepth = 32, MaximumLength = 4096, MaximumRepeat = 1000;
    private const string WordClass = @"\p{L}\p{M}\p{Nd}\p{Pc}";

    private static readonly string[] Categories =
    [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cn",
    ];

    private readonly JsonField _field;
    private readonly string _pattern;
    private readonly StringBuilder _output = new();
    private int _at;

    private PatternTranslator(JsonField field)
    {
        _field = field;
        _pattern = field.Text();
        if (_pattern.Length is 0 or > MaximumLength)
        {
            throw Fail($"a pattern has 1 to {MaximumLength} characters, this one has {_pattern.Length}");
        }
    }

    /// <summary>The ranges of characters that the pattern names one by one.</summary>
    public List<(char First, char Last)> Named { get; } = [];

    /// <summary>The pattern for .NET.</summary>
    public string Output => _output.ToString();

    public static PatternTranslator Translate(JsonField field)
    {
        var translator = new PatternTranslator(field);
        translator.Alternation(foldCase: false, depth: 0);
        return translator._at == translator._pattern.Length ? translator : throw translator.Fail("a ')' has no '('");
    }

    private bool AtEnd => _at == _pattern.Length;

    private void Alternation(bool foldCase, int depth)
    {
        if (depth > MaximumDepth)
        {
            throw Fail($"groups are nested more than {MaximumDepth} deep");
        }

        while (!AtEnd && _pattern[_at] != ')')
        {
            if (_pattern[_at] == '|')
            {
                _output.Append('|');
                _at++;
                continue;
            }

            int start = _output.Length;
            Atom(foldCase, depth);
            Quantifier(start);
        }
    }

    private void Atom(bool foldCase, int depth)
    {
        char c = _pattern[_at++];
        switch (c)
        {
            case '(':
                Group(foldCase, depth);
                break;
            case '[':
                CharacterClass(foldCase);
                break;
            case '.':
                _output.Append(@"[^\n]");
                break;
            case '^':
                _output.Append(@"(?:\A|(?<=\n))");
                break;
            case '$':
                _output.Append(@"(?=\n|\z)");
                break;
            case '*' or '+' or '?':
                throw Fail($"the '{c}' has nothing to repeat");
            case '\\':
                Escape(foldCase);
                break;
            default:
                Literal(c, foldCase);
                break;
        }
    }

    private void Group(bool foldCase, int depth)
    {
        string[] heads = ["?:", "?i:", "?=", "?!", "?<=", "?<!", "?>"];
        string head = "?:"; // a capturing group captures for nobody: back references are refused
        if (!AtEnd && _pattern[_at] == '?')
        {
            head = Array.Find(heads, h => string.CompareOrdinal(_pattern, _at, h, 0, h.Length) == 0)
                ?? throw Fail("of the groups that begin with '?', only (?: (?i: (?= (?! (?<= (?<! (?> are supported");
            _at += head.Length;
        }

        _output.Append('(').Append(head == "?i:" ? "?:" : head);
        Alternation(foldCase || head == "?i:", depth + 1);
        if (AtEnd)
        {
            throw Fail("a '(' has no ')'");
        }

        _at++;
        _output.Append(')');
    }

    private void Quantifier(int atomStart)
    {
        if (AtEnd || Repetition() is not { } quantifier)
        {
            return;
        }

        bool isRange = quantifier[0] == '{';
        char suffix = AtEnd ? '\0' : _pattern[_at];
        if (suffix == '+')
        {
            // X++ is possessive; X{1,2}+ repeats the repetition.
            _at++;
            _output.Insert(atomStart, isRange ? "(?:" : "(?>").Append(quantifier).Append(isRange ? ")+" : ")");
        }
        else
        {
            _output.Append(quantifier);
            if (suffix == '?')
            {
                _at++;
                _output.Append('?');
            }
        }

        if (!AtEnd && (_pattern[_at] is '*' or '+' or '?' || Repetition() is not null))
        {
            throw Fail("a quantifier follows a quantifier");
        }
    }

    /// <summary>Reads <c>* + ? {n} {n,} {n,m} {,m}</c>; an opening brace that begins none of them is a character.</summary>
    private string? Repetition()
    {
        char c = _pattern[_at];
        if (c is '*' or '+' or '?')
        {
            _at++;
            return c.ToString();
        }

        int close = c == '{' ? _pattern.IndexOf('}', _at) : -1;
        if (close < 0)
        {
            return null;
        }

        string[] bounds = _pattern[(_at + 1)..close].Split(',');
        if (bounds.Length > 2 || Array.TrueForAll(bounds, b => b.Length == 0) || !Array.TrueForAll(bounds, b => b.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0))
        {
            return null;
        }

        int least = Bound(bounds[0], 0);
        int most = Bound(bounds[^1], int.MaxValue);
        if (least > most)
        {
            throw Fail($"the quantifier {{{least},{most}}} runs backwards");
        }

        _at = close + 1;
        return bounds.Length == 1 ? $"{{{least}}}" : most == int.MaxValue ? $"{{{least},}}" : $"{{{least},{most}}}";

        int Bound(string text, int absent) => text.Length == 0 ? absent
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= MaximumRepeat ? value
            : throw Fail($"a repetition is at most {MaximumRepeat}, not {text}");
    }

    private void Escape(bool foldCase)
    {
        if (AtEnd)
        {
            throw Fail("the pattern ends in a backslash");
        }

        char c = _pattern[_at];
        switch (c)
        {
            case 'p' or 'P':
                _output.Append(Category());
                break;
            case 's' or 'S' or 'd' or 'D':
                _at++;
                _output.Append('\\').Append(c);
                break;
            case 'w' or 'W':
                _at++;
                _output.Append(c == 'w' ? "[" : "[^").Append(WordClass).Append(']');
                break;
            case 'A' or 'z':
                _at++;
                _output.Append('\\').Append(c);
                break;
            case 'Z':
                _at++;
                _output.Append(@"(?=\n?\z)");
                break;
            default:
                Literal(EscapedCharacter(), foldCase);
                break;
        }
    }

    private string Category()
    {
        string kind = _pattern.Substring(_at, 1);
        int close = _pattern.IndexOf('}', _at);
        if (_at + 1 >= _pattern.Length || _pattern[_at + 1] != '{' || close < 0)
        {
            throw Fail(@"\p is followed by a general category in braces, for example \p{L}");
        }

        string name = _pattern[(_at + 2)..close];
        if (name.StartsWith('^'))
        {
            name = name[1..];
            kind = kind == "p" ? "P" : "p";
        }

        _at = close + 1;
        return Array.IndexOf(Categories, name) >= 0
            ? $"\\{kind}{{{name}}}"
            : throw Fail($"\\p{{{name}}} is not supported, only general categories such as \\p{{L}} or \\p{{Nd}}");
    }

    /// <summary>Reads what follows a backslash as one character.</summary>
    private char EscapedCharacter()
    {
        char c = _pattern[_at++];
        return c switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\f',
            'v' => '\v',
            'a' => '\a',
            'e' => '\u001B',
            'u' => Hexadecimal(4),
            'x' when !AtEnd && _pattern[_at] == '{' => BracedHexadecimal(),
            'x' => Hexadecimal(2),
            _ when !char.IsAsciiLetterOrDigit(c) => c,
            _ => throw Fail($"the escape \\{c} is not supported here"),
        };
    }

    private char BracedHexadecimal()
    {
        int close = _pattern.IndexOf('}', _at);
        int digits = close - _at - 1;
        if (digits is < 1 or > 8)
        {
            throw Fail(@"\x{ is followed by 1 to 8 hexadecimal digits and a brace");
        }

        _at++;
        char c = Hexadecimal(digits);
        _at++;
        return c;
    }

    private char Hexadecimal(int digits)
    {
        if (_at + digits > _pattern.Length || !uint.TryParse(_pattern.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value))
        {
            throw Fail($"{digits} hexadecimal digits are expected");
        }

        _at += digits;
        return value <= char.MaxValue ? (char)value : throw Fail("characters beyond U+FFFF are not supported in patterns");
    }

    private void Literal(char c, bool foldCase)
    {
        Name(c, c);
        if (foldCase && char.IsAsciiLetter(c))
        {
            _output.Append('[').Append(char.ToLowerInvariant(c)).Append(char.ToUpperInvariant(c)).Append(']');
        }
        else
        {
            RefuseFolding(c, foldCase);
            Append(c);
        }
    }

    private void Name(char first, char last)
    {
        // A half of a pair, or a range across the halves, would match parts of characters.
        if (last >= '\uD800' && first <= '\uDFFF')
        {
            throw Fail("characters beyond U+FFFF are not supported in patterns");
        }

        Named.Add((first, last));
    }

    private void RefuseFolding(char c, bool foldCase)
    {
        if (foldCase && c > '\u007F')
        {
            throw Fail("(?i: is supported for ASCII only");
        }
    }

    private void Append(char c) => _output.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");

    private TokenizerException Fail(string message) =>
        _field.Fail(TokenizerError.InvalidPattern, $"{message} (position {_at} of the pattern \"{(_pattern.Length <= 80 ? _pattern : _pattern[..80] + "...")}\")");
}
