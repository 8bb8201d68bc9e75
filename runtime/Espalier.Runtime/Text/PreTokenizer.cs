using System.Globalization;
using System.Text.Json;

namespace Espalier.Text;

/// <summary>A part of the text on its way to the model.</summary>
/// <param name="Text">The part, as rewritten so far; never empty.</param>
/// <param name="AtStart">Whether it begins where the whole text begins.</param>
internal readonly record struct Piece(string Text, bool AtStart);

/// <summary>The <c>pre_tokenizer</c> of a tokenizer file: cuts a text into the pieces that no merge crosses. Immutable, thread-safe.</summary>
internal abstract class PreTokenizer
{
    private const string Supported = "ByteLevel, Digits, Metaspace, Split and Sequence";
    private const string GPT2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const int MaximumSteps = 64;

    public abstract void Split(Piece piece, List<Piece> into);

    /// <summary>Reads a pre-tokenizer; null in the file is one that cuts nothing.</summary>
    public static PreTokenizer Read(JsonField field)
    {
        if (field.IsNull)
        {
            return new SequencePreTokenizer([]);
        }

        string type = field.Required("type").Text();
        return type switch
        {
            "ByteLevel" => new ByteLevelPreTokenizer(field.Flag("add_prefix_space", absent: true), field.Flag("use_regex", absent: true) ? ReadGPT2Pattern(field) : null),
            "Digits" => new DigitsPreTokenizer(field.Flag("individual_digits", absent: false)),
            "Metaspace" => ReadMetaspace(field),
            "Split" => new SplitPreTokenizer(TokenPattern.Read(field.Required("pattern")), ReadBehavior(field), field.Flag("invert", absent: false)),
            "Sequence" => new SequencePreTokenizer([.. field.Required("pretokenizers").Items(MaximumSteps).Select(Read)]),
            _ => throw field.UnsupportedType(type, Supported),
        };
    }

    private static TokenPattern ReadGPT2Pattern(JsonField field)
    {
        using JsonDocument document = JsonDocument.Parse($"{{\"Regex\":\"{JsonEncodedText.Encode(GPT2Pattern)}\"}}");
        return TokenPattern.Read(new JsonField(document.RootElement.Clone(), field.File, field.Path));
    }

    private static SplitBehavior ReadBehavior(JsonField field)
    {
        JsonField behavior = field.Required("behavior");
        string name = behavior.Text();
        return name switch
        {
            "Removed" => SplitBehavior.Removed,
            "Isolated" => SplitBehavior.Isolated,
            "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
            "MergedWithNext" => SplitBehavior.MergedWithNext,
            "Contiguous" => SplitBehavior.Contiguous,
            _ => throw behavior.Fail(TokenizerError.Unsupported, $"the behavior \"{name}\" is not supported; supported are Removed, Isolated, MergedWithPrevious, MergedWithNext and Contiguous"),
        };
    }

    private static MetaspacePreTokenizer ReadMetaspace(JsonField field)
    {
        char replacement = field.Optional("replacement")?.Character() ?? '\u2581';
        string scheme = field.OptionalText("prepend_scheme") ?? (field.Flag("add_prefix_space", absent: true) ? "always" : "never");
        if (scheme is not ("always" or "first" or "never"))
        {
            throw field.Required("prepend_scheme").Fail(TokenizerError.Unsupported, $"the scheme \"{scheme}\" is not supported; supported are always, first and never");
        }

        if (field.OptionalText("str_rep") is { } text && text != replacement.ToString())
        {
            throw field.Required("str_rep").Fail(TokenizerError.Unsupported, "a str_rep other than the replacement is not supported");
        }

        return new MetaspacePreTokenizer(replacement, scheme, field.Flag("split", absent: true));
    }

    private static void Add(Piece piece, int start, int end, List<Piece> into)
    {
        if (end > start)
        {
            into.Add(end - start == piece.Text.Length ? piece : new Piece(piece.Text[start..end], piece.AtStart && start == 0));
        }
    }

    private enum SplitBehavior
    {
        Removed,
        Isolated,
        MergedWithPrevious,
        MergedWithNext,
        Contiguous,
    }

    private sealed class SequencePreTokenizer(PreTokenizer[] steps) : PreTokenizer
    {
        public override void Split(Piece piece, List<Piece> into)
        {
            List<Piece> pieces = [piece];
            foreach (PreTokenizer step in steps)
            {
                var next = new List<Piece>(pieces.Count);
                foreach (Piece part in pieces)
                {
                    step.Split(part, next);
                }

                pieces = next;
            }

            into.AddRange(pieces);
        }
    }

    private sealed class ByteLevelPreTokenizer(bool addPrefixSpace, TokenPattern? pattern) : PreTokenizer
    {
        public override void Split(Piece piece, List<Piece> into)
        {
            string text = addPrefixSpace && !piece.Text.StartsWith(' ') ? " " + piece.Text : piece.Text;
            if (pattern is null)
            {
                into.Add(new Piece(ByteAlphabet.Write(text), piece.AtStart));
                return;
            }

            var parts = new List<(int Start, int End, bool IsMatch)>();
            pattern.Split(text, parts);
            foreach ((int start, int end, _) in parts)
            {
                into.Add(new Piece(ByteAlphabet.Write(text[start..end]), piece.AtStart && start == 0));
            }
        }
    }

    private sealed class DigitsPreTokenizer(bool individual) : PreTokenizer
    {
        public override void Split(Piece piece, List<Piece> into)
        {
            string text = piece.Text;
            int start = 0;
            bool inDigits = false;
            for (int i = 0; i < text.Length;)
            {
                bool isPair = char.IsSurrogatePair(text, i);
                bool isDigit = CharUnicodeInfo.GetUnicodeCategory(text, i) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;
                if (i > start && (isDigit != inDigits || (isDigit && individual)))
                {
                    Add(piece, start, i, into);
                    start = i;
                }

                inDigits = isDigit;
                i += isPair ? 2 : 1;
            }

            Add(piece, start, text.Length, into);
        }
    }

    private sealed class MetaspacePreTokenizer(char replacement, string scheme, bool split) : PreTokenizer
    {
        public override void Split(Piece piece, List<Piece> into)
        {
            string text = piece.Text.Replace(' ', replacement);
            if (text[0] != replacement && (scheme == "always" || (scheme == "first" && piece.AtStart)))
            {
                text = replacement + text;
            }

            var whole = new Piece(text, piece.AtStart);
            if (!split)
            {
                into.Add(whole);
                return;
            }

            // A replacement belongs to what follows it, but of several in a row only the last: the others stand alone.
            int start = 0;
            for (int i = 1; i < text.Length; i++)
            {
                if (text[i] == replacement)
                {
                    Add(whole, start, i, into);
                    start = i;
                }
            }

            Add(whole, start, text.Length, into);
        }
    }

    private sealed class SplitPreTokenizer(TokenPattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
    {
        public override void Split(Piece piece, List<Piece> into)
        {
            var parts = new List<(int Start, int End, bool IsMatch)>();
            pattern.Split(piece.Text, parts);
            for (int i = 0; i < parts.Count; i++)
            {
                (int start, int end, bool isMatch) = parts[i];
                isMatch ^= invert;
                switch (behavior)
                {
                    case SplitBehavior.Removed when isMatch:
                        continue;
                    case SplitBehavior.Contiguous:
                        while (i + 1 < parts.Count && (parts[i + 1].IsMatch ^ invert) == isMatch)
                        {
                            end = parts[++i].End;
                        }

                        break;
                    case SplitBehavior.MergedWithPrevious when !isMatch && i + 1 < parts.Count && (parts[i + 1].IsMatch ^ invert):
                        end = parts[++i].End;
                        break;
                    case SplitBehavior.MergedWithNext when isMatch && i + 1 < parts.Count && !(parts[i + 1].IsMatch ^ invert):
                        end = parts[++i].End;
                        break;
                }

                Add(piece, start, end, into);
            }
        }
    }
}
