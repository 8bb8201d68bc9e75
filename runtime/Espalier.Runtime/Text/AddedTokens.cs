using System.Buffers;
using System.Globalization;
using System.Text;

namespace Espalier.Text;

/// <summary>A token that is found in the text as it stands, before the model sees the text.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="IsSpecial">Whether it is left out of decoded text on request.</param>
/// <param name="IsSingleWord">Whether it counts only where no word character touches it.</param>
/// <param name="StripsLeft">Whether it takes the white space before it along.</param>
/// <param name="StripsRight">Whether it takes the white space after it along.</param>
/// <param name="IsNormalized">Whether it is searched in the normalised text.</param>
internal sealed record AddedToken(int Id, string Content, bool IsSpecial, bool IsSingleWord, bool StripsLeft, bool StripsRight, bool IsNormalized)
{
    private const int MaximumLength = 1024;

    public static AddedToken Read(JsonField field)
    {
        string content = field.Required("content").Text();
        if (content.Length is 0 or > MaximumLength)
        {
            throw field.Required("content").Fail(TokenizerError.InvalidField, $"an added token has 1 to {MaximumLength} characters, this one has {content.Length}");
        }

        bool isSpecial = field.Flag("special", absent: false);
        return new AddedToken(
            field.Required("id").Count(BytePairModel.IdLimit - 1),
            content,
            isSpecial,
            field.Flag("single_word", absent: false),
            field.Flag("lstrip", absent: false),
            field.Flag("rstrip", absent: false),
            field.Flag("normalized", absent: !isSpecial));
    }
}

/// <summary>A part of a text: an added token, or the text between two of them.</summary>
internal readonly record struct Section(int Start, int End, AddedToken? Token);

/// <summary>Finds a set of added tokens in a text: leftmost first, the longest where several begin. Immutable, thread-safe.</summary>
internal sealed class AddedTokenFinder
{
    private readonly Dictionary<(int Node, char Next), int> _children = [];
    private readonly List<AddedToken?> _endings = [null];
    private readonly SearchValues<char> _firstCharacters;

    /// <param name="tokens">The tokens and the text to search for: their content, or what the normaliser makes of it.</param>
    public AddedTokenFinder(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        foreach ((string text, AddedToken token) in tokens)
        {
            int node = 0;
            foreach (char c in text)
            {
                if (!_children.TryGetValue((node, c), out int child))
                {
                    child = _endings.Count;
                    _endings.Add(null);
                    _children.Add((node, c), child);
                }

                node = child;
            }

            if (node != 0)
            {
                _endings[node] ??= token;
            }
        }

        _firstCharacters = SearchValues.Create([.. _children.Keys.Where(key => key.Node == 0).Select(key => key.Next)]);
    }

    /// <summary>Cuts a text into added tokens and the sections between them; no section is empty.</summary>
    public List<Section> Split(string text)
    {
        var sections = new List<Section>();
        int done = 0;
        for (int at = 0; at < text.Length;)
        {
            int step = text.AsSpan(at).IndexOfAny(_firstCharacters);
            if (step < 0)
            {
                break;
            }

            at += step;
            if (LongestAt(text, at) is not var (token, end))
            {
                at++;
                continue;
            }

            int begin = at;
            at = end;
            if (token.IsSingleWord && (TouchesWord(text.AsSpan(0, begin), before: true) || TouchesWord(text.AsSpan(end), before: false)))
            {
                continue;
            }

            int start = token.StripsLeft ? done + text.AsSpan(done, begin - done).TrimEnd().Length : begin;
            end = token.StripsRight ? text.Length - text.AsSpan(end).TrimStart().Length : end;
            if (start > done)
            {
                sections.Add(new Section(done, start, null));
            }

            sections.Add(new Section(start, end, token));
            done = end;
            at = end;
        }

        if (done < text.Length)
        {
            sections.Add(new Section(done, text.Length, null));
        }

        return sections;
    }

    private (AddedToken Token, int End)? LongestAt(string text, int start)
    {
        (AddedToken, int)? longest = null;
        int node = 0;
        for (int at = start; at < text.Length && _children.TryGetValue((node, text[at]), out node); at++)
        {
            if (_endings[node] is { } token)
            {
                longest = (token, at + 1);
            }
        }

        return longest;
    }

    /// <summary>Whether the scalar next to a token is a word character: a letter, mark, digit, connector or joiner.</summary>
    private static bool TouchesWord(ReadOnlySpan<char> text, bool before)
    {
        Rune rune;
        OperationStatus status = before ? Rune.DecodeLastFromUtf16(text, out rune, out _) : Rune.DecodeFromUtf16(text, out rune, out _);
        return status == OperationStatus.Done && (rune.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(rune)
            is <= UnicodeCategory.LetterNumber // the letters, marks, decimal digits and letter numbers come first
            or UnicodeCategory.ConnectorPunctuation);
    }
}
