using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Espalier.Text;

/// <summary>The <c>model</c> of a tokenizer file: byte-pair encoding (Sennrich et al., arXiv 1508.07909) over the characters of a piece. Immutable, thread-safe.</summary>
internal sealed class BytePairModel
{
    /// <summary>One more than the highest id that a file may use.</summary>
    public const int IdLimit = 1 << 21;

    private const int MaximumTokens = 1 << 20, MaximumMerges = 1 << 21, MaximumTokenLength = 1 << 14;

    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idsBySpan;
    private readonly Dictionary<long, (int Rank, int Id)> _merges;
    private readonly int[]? _byteIds;
    private readonly bool _fuseUnknown;
    private readonly bool _ignoreMerges;

    // Where the last character of a piece carries a suffix (CLIP's </w>): its ids by the character alone. Null where there is no suffix.
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>>? _endIds;

    private BytePairModel(Dictionary<string, int> ids, Dictionary<long, (int Rank, int Id)> merges, int? unknownId, int[]? byteIds, bool fuseUnknown, bool ignoreMerges, string suffix)
    {
        _endIds = suffix.Length == 0 ? null : EndIds(ids, suffix);
        _ids = ids;
        _idsBySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _merges = merges;
        UnknownId = unknownId;
        _byteIds = byteIds;
        _fuseUnknown = fuseUnknown;
        _ignoreMerges = ignoreMerges;
    }

    /// <summary>The tokens and their ids, without the added tokens.</summary>
    public IReadOnlyDictionary<string, int> Ids => _ids;

    /// <summary>What a character outside the vocabulary becomes; without it such characters are dropped.</summary>
    public int? UnknownId { get; }

    public static BytePairModel Read(JsonField field)
    {
        string type = field.OptionalText("type") ?? "BPE";
        if (type != "BPE")
        {
            throw field.UnsupportedType(type, "BPE");
        }

        field.RefuseUnless("dropout", "0.0");
        field.RefuseUnless("continuing_subword_prefix", "\"\"");
        string suffix = field.OptionalText("end_of_word_suffix") ?? "";
        if (suffix.Length > 0 && field.Flag("byte_fallback", absent: false))
        {
            throw field.Required("end_of_word_suffix").Fail(TokenizerError.Unsupported, "a suffix together with byte_fallback is not supported");
        }

        Dictionary<string, int> ids = ReadVocabulary(field.Required("vocab"));
        int? unknownId = null;
        if (field.Optional("unk_token") is { } unknown)
        {
            unknownId = ids.TryGetValue(unknown.Text(), out int id) ? id : throw unknown.Fail(TokenizerError.UnknownToken, $"\"{unknown.Text()}\" is not in the vocabulary");
        }

        int[]? byteIds = null;
        if (field.Flag("byte_fallback", absent: false))
        {
            byteIds = new int[256];
            for (int b = 0; b < 256; b++)
            {
                byteIds[b] = ids.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"), -1);
            }
        }

        return new BytePairModel(ids, ReadMerges(field.Required("merges"), ids), unknownId, byteIds, field.Flag("fuse_unk", absent: false), field.Flag("ignore_merges", absent: false), suffix);
    }

    /// <summary>Appends the ids of a piece. O(n log n) in its length.</summary>
    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_ignoreMerges && _idsBySpan.TryGetValue(piece, out int whole))
        {
            ids.Add(whole);
            return;
        }

        // A character is at most four bytes, so at most four symbols; one UTF-16 unit at most three.
        int[] rented = ArrayPool<int>.Shared.Rent(piece.Length * 3 * 3);
        try
        {
            Span<int> symbols = rented.AsSpan(0, piece.Length * 3);
            int count = Split(piece, symbols);
            Merge(symbols[..count], next: rented.AsSpan(piece.Length * 3, count), previous: rented.AsSpan(piece.Length * 6, count));
            for (int at = count == 0 ? -1 : 0; at >= 0; at = rented[piece.Length * 3 + at])
            {
                ids.Add(symbols[at]);
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(rented);
        }
    }

    /// <summary>Writes the ids of the characters, with byte fallback and the unknown token.</summary>
    private int Split(ReadOnlySpan<char> piece, Span<int> symbols)
    {
        int count = 0;
        bool afterUnknown = false;
        Span<byte> utf8 = stackalloc byte[4];
        while (!piece.IsEmpty)
        {
            Rune.DecodeFromUtf16(piece, out Rune rune, out int length);
            bool isKnown = piece.Length == length && _endIds is { } ends ? ends.TryGetValue(piece, out int id) : _idsBySpan.TryGetValue(piece[..length], out id);
            piece = piece[length..];
            if (isKnown)
            {
                symbols[count++] = id;
                afterUnknown = false;
                continue;
            }

            ReadOnlySpan<byte> bytes = utf8[..rune.EncodeToUtf8(utf8)];
            if (_byteIds is not null && HasAll(bytes))
            {
                foreach (byte b in bytes)
                {
                    symbols[count++] = _byteIds[b];
                }

                afterUnknown = false;
            }
            else if (UnknownId is { } unknown)
            {
                if (!afterUnknown || !_fuseUnknown)
                {
                    symbols[count++] = unknown;
                }

                afterUnknown = true;
            }
        }

        return count;
    }

    private static Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> EndIds(Dictionary<string, int> ids, string suffix)
    {
        var ends = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach ((string token, int id) in ids)
        {
            int character = token.Length - suffix.Length;
            if (character > 0 && token.EndsWith(suffix, StringComparison.Ordinal) && Rune.DecodeFromUtf16(token, out _, out int length) == OperationStatus.Done && length == character)
            {
                ends.Add(token[..character], id);
            }
        }

        return ends.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    private bool HasAll(ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            if (_byteIds![b] < 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Applies merges by rank, then by position. The symbols are a linked list; a merge leaves its result at the left one.</summary>
    private void Merge(Span<int> symbols, Span<int> next, Span<int> previous)
    {
        var queue = new PriorityQueue<(int Left, int Right, int LeftId, int RightId), long>();
        for (int i = 0; i < symbols.Length; i++)
        {
            previous[i] = i - 1;
            next[i] = i + 1 < symbols.Length ? i + 1 : -1;
            Offer(queue, symbols, i, next[i]);
        }

        while (queue.TryDequeue(out (int Left, int Right, int LeftId, int RightId) pair, out _))
        {
            // Stale: one of the two was merged since. (A removed symbol is -1, so it equals no id.)
            if (symbols[pair.Left] != pair.LeftId || symbols[pair.Right] != pair.RightId || next[pair.Left] != pair.Right)
            {
                continue;
            }

            symbols[pair.Left] = _merges[Pair(pair.LeftId, pair.RightId)].Id;
            symbols[pair.Right] = -1;
            int after = next[pair.Right];
            next[pair.Left] = after;
            if (after >= 0)
            {
                previous[after] = pair.Left;
            }

            Offer(queue, symbols, previous[pair.Left], pair.Left);
            Offer(queue, symbols, pair.Left, after);
        }
    }

    private void Offer(PriorityQueue<(int Left, int Right, int LeftId, int RightId), long> queue, Span<int> symbols, int left, int right)
    {
        if (left >= 0 && right >= 0 && _merges.TryGetValue(Pair(symbols[left], symbols[right]), out (int Rank, int Id) merge))
        {
            queue.Enqueue((left, right, symbols[left], symbols[right]), (long)merge.Rank << 32 | (uint)left);
        }
    }

    private static long Pair(int left, int right) => (long)left << 32 | (uint)right;

    private static Dictionary<string, int> ReadVocabulary(JsonField field)
    {
        field.Expect(JsonValueKind.Object);
        int count = field.Element.GetPropertyCount();
        if (count > MaximumTokens)
        {
            throw field.Fail(TokenizerError.TooLarge, $"{count} tokens; at most {MaximumTokens} are accepted");
        }

        var ids = new Dictionary<string, int>(count, StringComparer.Ordinal);
        var used = new HashSet<int>(count);
        foreach (JsonProperty property in field.Element.EnumerateObject())
        {
            string token;
            try
            {
                token = property.Name;
            }
            catch (InvalidOperationException exception)
            {
                throw field.Fail(TokenizerError.InvalidField, "a token is not valid Unicode", exception);
            }

            var value = new JsonField(property.Value, field.File, $"{field.Path}[\"{(token.Length <= 40 ? token : token[..40] + "...")}\"]");
            if (token.Length is 0 or > MaximumTokenLength)
            {
                throw value.Fail(TokenizerError.InvalidField, $"a token has 1 to {MaximumTokenLength} characters, this one has {token.Length}");
            }

            int id = value.Count(IdLimit - 1);
            if (!ids.TryAdd(token, id) || !used.Add(id))
            {
                throw value.Fail(TokenizerError.DuplicateToken, $"the token \"{token}\" or its id {id} is listed twice");
            }
        }

        return ids;
    }

    private static Dictionary<long, (int Rank, int Id)> ReadMerges(JsonField field, Dictionary<string, int> ids)
    {
        var merges = new Dictionary<long, (int, int)>();
        int rank = 0;
        foreach (JsonField item in field.Items(MaximumMerges))
        {
            (string left, string right) = ReadMerge(item);
            if (!ids.TryGetValue(left, out int leftId) || !ids.TryGetValue(right, out int rightId) || !ids.TryGetValue(left + right, out int id))
            {
                throw item.Fail(TokenizerError.InvalidMerge, $"\"{left}\", \"{right}\" or \"{left + right}\" is not in the vocabulary");
            }

            // Files exist that list a merge twice; the last rank counts, as in the reference.
            CollectionsMarshal.GetValueRefOrAddDefault(merges, Pair(leftId, rightId), out _) = (rank++, id);
        }

        return merges;
    }

    private static (string Left, string Right) ReadMerge(JsonField item)
    {
        string[] parts = item.IsString ? item.Text().Split(' ') : item.IsArray ? [.. item.Items(MaximumTokenLength).Select(part => part.Text())] : [];
        return parts is [{ Length: > 0 } left, { Length: > 0 } right]
            ? (left, right)
            : throw item.Fail(TokenizerError.InvalidMerge, "a merge is \"left right\" with one space, or [\"left\", \"right\"]");
    }
}
