using System.Text;

namespace Espalier.Text;

/// <summary>The <c>normalizer</c> of a tokenizer file. Immutable, thread-safe.</summary>
internal abstract class Normalizer
{
    private const string Supported = "NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip and Sequence";
    private const int MaximumSteps = 64;

    public abstract string Apply(string text);

    /// <summary>Reads a normalizer; null in the file is one that changes nothing.</summary>
    public static Normalizer Read(JsonField field)
    {
        if (field.IsNull)
        {
            return new SequenceNormalizer([]);
        }

        string type = field.Required("type").Text();
        return type switch
        {
            "NFC" => new FormNormalizer(NormalizationForm.FormC),
            "NFD" => new FormNormalizer(NormalizationForm.FormD),
            "NFKC" => new FormNormalizer(NormalizationForm.FormKC),
            "NFKD" => new FormNormalizer(NormalizationForm.FormKD),
            "Lowercase" => new LowercaseNormalizer(),
            "Prepend" => new PrependNormalizer(field.Required("prepend").Text()),
            "Replace" => new ReplaceNormalizer(TokenPattern.Read(field.Required("pattern")), field.Required("content").Text()),
            "Strip" => new StripNormalizer(field.Flag("strip_left", absent: true), field.Flag("strip_right", absent: true)),
            "Sequence" => new SequenceNormalizer([.. field.Required("normalizers").Items(MaximumSteps).Select(Read)]),
            _ => throw field.UnsupportedType(type, Supported),
        };
    }

    private sealed class FormNormalizer(NormalizationForm form) : Normalizer
    {
        public override string Apply(string text) => UnicodeNormalizer.Normalize(text, form);
    }

    private sealed class LowercaseNormalizer : Normalizer
    {
        public override string Apply(string text)
        {
            var result = new StringBuilder(text.Length);
            foreach (Rune rune in text.EnumerateRunes())
            {
                // U+0130 is the one scalar whose lower case is two of them, whatever the context.
                if (rune.Value == 0x130)
                {
                    result.Append("i\u0307");
                }
                else
                {
                    result.Append(Rune.ToLowerInvariant(rune).ToString());
                }
            }

            return result.ToString();
        }
    }

    private sealed class PrependNormalizer(string prefix) : Normalizer
    {
        public override string Apply(string text) => text.Length == 0 ? text : prefix + text;
    }

    private sealed class ReplaceNormalizer(TokenPattern pattern, string content) : Normalizer
    {
        public override string Apply(string text)
        {
            var pieces = new List<(int Start, int End, bool IsMatch)>();
            pattern.Split(text, pieces);
            if (!pieces.Exists(piece => piece.IsMatch))
            {
                return text;
            }

            var result = new StringBuilder(text.Length + 16);
            foreach ((int start, int end, bool isMatch) in pieces)
            {
                result.Append(isMatch ? content : text.AsSpan(start, end - start));
            }

            return result.ToString();
        }
    }

    private sealed class StripNormalizer(bool left, bool right) : Normalizer
    {
        public override string Apply(string text)
        {
            text = left ? text.TrimStart() : text;
            return right ? text.TrimEnd() : text;
        }
    }

    private sealed class SequenceNormalizer(Normalizer[] steps) : Normalizer
    {
        public override string Apply(string text)
        {
            foreach (Normalizer step in steps)
            {
                text = step.Apply(text);
            }

            return text;
        }
    }
}
