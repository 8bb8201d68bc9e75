using System.Buffers;
using System.Buffers.Text;
using System.Collections.Frozen;
using System.Text;

namespace Espalier.Text;

/// <summary>The four normalisation forms of Unicode, from our own tables.</summary>
/// <remarks>string.Normalize is no choice: under InvariantGlobalization .NET 9 and 10 on Linux return the text unchanged, without an error.
/// Scalars that the tables do not know, and lone surrogates, are left as they are. Thread-safe.</remarks>
internal static class UnicodeNormalizer
{
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, SyllableCount = LeadCount * VowelCount * TrailCount;

    /// <summary>What a scalar decomposes into: a slice of the mapped scalars.</summary>
    private readonly record struct Mapping(int Start, int Length, bool IsCompatibility);

    private static readonly (FrozenDictionary<int, Mapping> Mappings, int[] Scalars, FrozenDictionary<long, int> Composites) Decompositions = ReadDecompositions();
    private static readonly FrozenDictionary<int, byte> CombiningClasses = ReadCombiningClasses();

    /// <summary>Brings a text into a normalisation form.</summary>
    /// <param name="text">The text.</param>
    /// <param name="form">The form.</param>
    /// <returns>The text itself if it needs no change that can be seen quickly, else a new string.</returns>
    public static string Normalize(string text, NormalizationForm form)
    {
        bool compose = form is NormalizationForm.FormC or NormalizationForm.FormKC;
        bool compatibility = form is NormalizationForm.FormKC or NormalizationForm.FormKD;

        // Below U+0300 nothing composes and NFC changes nothing; the other forms leave ASCII alone.
        char firstAffected = form == NormalizationForm.FormC ? '\u0300' : '\u0080';
        if (!text.AsSpan().ContainsAnyInRange(firstAffected, char.MaxValue))
        {
            return text;
        }

        var scalars = new List<int>(text.Length + 16);
        for (int i = 0; i < text.Length; i++)
        {
            int scalar = text[i];
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                scalar = char.ConvertToUtf32(text[i], text[++i]);
            }

            Decompose(scalar, compatibility, scalars);
        }

        Order(scalars);
        if (compose)
        {
            Compose(scalars);
        }

        var result = new StringBuilder(scalars.Count + 8);
        foreach (int scalar in scalars)
        {
            if (scalar < 0x10000)
            {
                result.Append((char)scalar);
            }
            else
            {
                result.Append((char)(0xD7C0 + (scalar >> 10))).Append((char)(0xDC00 + (scalar & 0x3FF)));
            }
        }

        return result.ToString();
    }

    private static void Decompose(int scalar, bool compatibility, List<int> into)
    {
        int syllable = scalar - SyllableBase;
        if ((uint)syllable < SyllableCount)
        {
            into.Add(LeadBase + syllable / (VowelCount * TrailCount));
            into.Add(VowelBase + syllable % (VowelCount * TrailCount) / TrailCount);
            if (syllable % TrailCount != 0)
            {
                into.Add(TrailBase + syllable % TrailCount);
            }
        }
        else if (scalar >= 0xA0 && Decompositions.Mappings.TryGetValue(scalar, out Mapping mapping) && (compatibility || !mapping.IsCompatibility))
        {
            foreach (int part in Decompositions.Scalars.AsSpan(mapping.Start, mapping.Length))
            {
                Decompose(part, compatibility, into);
            }
        }
        else
        {
            into.Add(scalar);
        }
    }

    /// <summary>Sorts every run of combining marks by class; marks of one class keep their order.</summary>
    private static void Order(List<int> scalars)
    {
        int start = 0;
        while (start < scalars.Count)
        {
            int end = start;
            while (end < scalars.Count && ClassOf(scalars[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                // A sort that is not quadratic: the length of a run is the sender's choice.
                int[] run = scalars.GetRange(start, end - start).OrderBy(ClassOf).ToArray();
                for (int i = 0; i < run.Length; i++)
                {
                    scalars[start + i] = run[i];
                }
            }

            start = end + 1;
        }
    }

    private static void Compose(List<int> scalars)
    {
        int starter = -1;
        int previousClass = 0;
        int count = 0;
        for (int i = 0; i < scalars.Count; i++)
        {
            int scalar = scalars[i];
            int combiningClass = ClassOf(scalar);

            // A mark is blocked by a mark of its own or a higher class, a starter by anything, between it and the last starter.
            bool blocked = count - 1 > starter && (combiningClass == 0 || previousClass >= combiningClass);
            if (starter >= 0 && !blocked && TryCompose(scalars[starter], scalar, out int composite))
            {
                scalars[starter] = composite;
                continue;
            }

            if (combiningClass == 0)
            {
                starter = count;
            }

            previousClass = combiningClass;
            scalars[count++] = scalar;
        }

        scalars.RemoveRange(count, scalars.Count - count);
    }

    private static bool TryCompose(int first, int second, out int composite)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if ((uint)lead < LeadCount && (uint)vowel < VowelCount)
        {
            composite = SyllableBase + (lead * VowelCount + vowel) * TrailCount;
            return true;
        }

        int syllable = first - SyllableBase;
        int trail = second - TrailBase;
        if ((uint)syllable < SyllableCount && syllable % TrailCount == 0 && trail is > 0 and < TrailCount)
        {
            composite = first + trail;
            return true;
        }

        return Decompositions.Composites.TryGetValue((long)first << 32 | (uint)second, out composite);
    }

    private static int ClassOf(int scalar) => scalar >= 0x300 && CombiningClasses.TryGetValue(scalar, out byte rank) ? rank : 0;

    private static (FrozenDictionary<int, Mapping>, int[], FrozenDictionary<long, int>) ReadDecompositions()
    {
        var mappings = new Dictionary<int, Mapping>(UnicodeDecompositions.MappingCount);
        var scalars = new List<int>();
        var composites = new Dictionary<long, int>();
        ReadOnlySpan<byte> data = Unpack(UnicodeDecompositions.Mappings);
        int scalar = 0;
        while (!data.IsEmpty)
        {
            scalar += ReadInteger(ref data);
            int head = ReadInteger(ref data);
            int start = scalars.Count;
            int last = scalar;
            for (int i = 0; i < head >> 2; i++)
            {
                int zigzag = ReadInteger(ref data);
                last += (zigzag >> 1) ^ -(zigzag & 1);
                scalars.Add(last);
            }

            mappings.Add(scalar, new Mapping(start, head >> 2, IsCompatibility: (head & 2) != 0));
            if ((head & 1) != 0)
            {
                composites.Add((long)scalars[start] << 32 | (uint)scalars[start + 1], scalar);
            }
        }

        return (mappings.ToFrozenDictionary(), [.. scalars], composites.ToFrozenDictionary());
    }

    private static FrozenDictionary<int, byte> ReadCombiningClasses()
    {
        var classes = new Dictionary<int, byte>();
        ReadOnlySpan<byte> data = Unpack(UnicodeDecompositions.CombiningClasses);
        int end = 0;
        while (!data.IsEmpty)
        {
            int start = end + ReadInteger(ref data);
            end = start + ReadInteger(ref data);
            byte rank = (byte)ReadInteger(ref data);
            for (int scalar = start; scalar < end; scalar++)
            {
                classes.Add(scalar, rank);
            }
        }

        return classes.ToFrozenDictionary();
    }

    private static byte[] Unpack(ReadOnlySpan<byte> base64)
    {
        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
        OperationStatus status = Base64.DecodeFromUtf8(base64, bytes, out _, out int written);
        return status == OperationStatus.Done ? bytes[..written] : throw new InvalidOperationException("The built-in Unicode table is not base64.");
    }

    private static int ReadInteger(ref ReadOnlySpan<byte> data)
    {
        int value = 0;
        for (int i = 0, shift = 0; ; i++, shift += 7)
        {
            value |= (data[i] & 0x7F) << shift;
            if (data[i] < 0x80)
            {
                data = data[(i + 1)..];
                return value;
            }
        }
    }
}
