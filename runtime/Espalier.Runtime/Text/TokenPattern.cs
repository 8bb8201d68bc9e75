using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Espalier.Text;

/// <summary>A pattern of a tokenizer file: a text to find, or a regular expression. Immutable, thread-safe.</summary>
/// <remarks>.NET matches UTF-16 units, so <c>\p{L}</c> misses the letters beyond U+FFFF. Before matching, each such scalar becomes one character of the
/// basic plane that has the same general category and that the pattern does not name; positions are mapped back afterwards.</remarks>
internal sealed class TokenPattern
{
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(2), TextTimeout = TimeSpan.FromSeconds(10);
    private static readonly char[][] Candidates = FindCandidates();

    private readonly JsonField _field;
    private readonly string? _literal;
    private readonly Regex? _regex;
    private readonly char[] _standIns = [];

    private TokenPattern(JsonField field, string literal)
    {
        _field = field;
        _literal = literal;
    }

    private TokenPattern(JsonField field, PatternTranslator translation)
    {
        _field = field;
        try
        {
            _regex = new Regex(translation.Output, RegexOptions.CultureInvariant, MatchTimeout);
        }
        catch (ArgumentException exception)
        {
            throw field.Fail(TokenizerError.InvalidPattern, $"the pattern is malformed: {exception.Message}", exception);
        }

        _standIns = Array.ConvertAll(Candidates, candidates => Array.Find(candidates, c => !translation.Named.Exists(range => c >= range.First && c <= range.Last)));
    }

    /// <summary>Reads <c>{"String": ...}</c> or <c>{"Regex": ...}</c>.</summary>
    public static TokenPattern Read(JsonField field)
    {
        if (field.IsObject && field.Optional("Regex") is { } regex)
        {
            return new TokenPattern(regex, PatternTranslator.Translate(regex));
        }

        if (field.IsObject && field.Optional("String") is { } literal)
        {
            return new TokenPattern(literal, literal.Text());
        }

        throw field.Fail(TokenizerError.InvalidField, "a pattern is {\"String\": \"...\"} or {\"Regex\": \"...\"}");
    }

    /// <summary>The pattern as a plain text, or null if it is a regular expression.</summary>
    public string? Literal => _literal;

    /// <summary>Cuts a text into matches and what lies between them; the pieces cover the text and none is empty.</summary>
    public void Split(string text, List<(int Start, int End, bool IsMatch)> pieces)
    {
        pieces.Clear();
        int previous = 0;
        if (_regex is null)
        {
            for (int at; _literal!.Length > 0 && (at = text.IndexOf(_literal, previous, StringComparison.Ordinal)) >= 0;)
            {
                Add(at, at + _literal.Length);
            }
        }
        else
        {
            (ReadOnlyMemory<char> units, int[]? offsets) = WithStandIns(text);
            long started = Stopwatch.GetTimestamp();
            try
            {
                foreach (ValueMatch match in _regex.EnumerateMatches(units.Span))
                {
                    int end = match.Index + match.Length;
                    Add(offsets is null ? match.Index : offsets[match.Index], offsets is null ? end : offsets[end]);
                    if (Stopwatch.GetElapsedTime(started) > TextTimeout)
                    {
                        throw Timeout(null);
                    }
                }
            }
            catch (RegexMatchTimeoutException exception)
            {
                throw Timeout(exception);
            }
        }

        if (previous < text.Length)
        {
            pieces.Add((previous, text.Length, false));
        }

        void Add(int start, int end)
        {
            if (start > previous)
            {
                pieces.Add((previous, start, false));
            }

            if (end > start)
            {
                pieces.Add((start, end, true));
            }

            previous = end;
        }

        TokenizerException Timeout(Exception? inner) =>
            _field.Fail(TokenizerError.PatternTimeout, $"matching the pattern against a text of {text.Length} characters took more than {MatchTimeout.TotalSeconds} s for one match or {TextTimeout.TotalSeconds} s in all", inner);
    }

    /// <summary>Replaces every scalar beyond U+FFFF by one character; the offsets lead back to the text, and are null if there was none.</summary>
    private (ReadOnlyMemory<char> Units, int[]? Offsets) WithStandIns(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return (text.AsMemory(), null);
        }

        char[] units = new char[text.Length];
        int[] offsets = new int[text.Length + 1];
        int count = 0;
        for (int i = 0; i < text.Length; count++)
        {
            OperationStatus status = Rune.DecodeFromUtf16(text.AsSpan(i), out Rune rune, out int length);
            bool isPair = status == OperationStatus.Done && length == 2;
            units[count] = isPair ? _standIns[(int)CharUnicodeInfo.GetUnicodeCategory(rune.Value)] : text[i];
            offsets[count] = i;
            i += length;
        }

        offsets[count] = text.Length;
        return (units.AsMemory(0, count), offsets);
    }

    /// <summary>For each general category, characters of the basic plane; the last ones first, since patterns name the first ones.</summary>
    private static char[][] FindCandidates()
    {
        const int Enough = 64;
        var found = new List<char>[(int)UnicodeCategory.OtherNotAssigned + 1];
        for (int category = 0; category < found.Length; category++)
        {
            found[category] = [];
        }

        for (int c = char.MaxValue; c >= 0; c--)
        {
            List<char> list = found[(int)CharUnicodeInfo.GetUnicodeCategory((char)c)];
            if (list.Count < Enough)
            {
                list.Add((char)c);
            }
        }

        return Array.ConvertAll(found, list => list.ToArray());
    }
}
