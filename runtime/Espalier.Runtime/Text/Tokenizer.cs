using System.Text;
using System.Text.Json;

namespace Espalier.Text;

/// <summary>A Hugging Face <c>tokenizer.json</c>: text to token ids and back.</summary>
/// <remarks>
/// Byte-pair encoding (Sennrich et al., arXiv 1508.07909) in both flavours: byte-level (GPT-2, Qwen2, Llama 3) and SentencePiece-like with byte fallback
/// (LLaMA 2, Vicuna). The <c>truncation</c> and <c>padding</c> fields of the file are not applied: the length of a prompt is the caller's business.
/// Every component or setting that is not implemented is refused when the file is read. Immutable, thread-safe.
/// </remarks>
public sealed class Tokenizer
{
    /// <summary>The longest text that can be encoded, in UTF-16 units.</summary>
    public const int MaximumTextLength = 1 << 24;

    private const int MaximumFileBytes = 128 << 20, MaximumAddedTokens = 1 << 16;

    private readonly string _file;
    private readonly BytePairModel _model;
    private readonly Normalizer _normalizer;
    private readonly PreTokenizer _preTokenizer;
    private readonly SpecialTokenFrame _frame;
    private readonly Decoder _decoder;
    private readonly AddedTokenFinder _verbatim;
    private readonly AddedTokenFinder _normalized;
    private readonly Dictionary<string, AddedToken> _addedTokens;
    private readonly Dictionary<int, AddedToken> _addedTokensById;
    private readonly string?[] _tokens;

    private Tokenizer(JsonField root)
    {
        _file = root.File;
        _model = BytePairModel.Read(root.Required("model"));
        _normalizer = Normalizer.Read(root.Required("normalizer"));
        _preTokenizer = PreTokenizer.Read(root.Required("pre_tokenizer"));
        _decoder = Decoder.Read(root.Required("decoder"));
        _addedTokens = ReadAddedTokens(root, _model);
        _addedTokensById = _addedTokens.Values.ToDictionary(token => token.Id);
        _tokens = new string?[1 + Math.Max(_model.Ids.Values.DefaultIfEmpty(-1).Max(), _addedTokensById.Keys.DefaultIfEmpty(-1).Max())];
        foreach ((string token, int id) in _model.Ids)
        {
            _tokens[id] = token;
        }

        foreach (AddedToken token in _addedTokens.Values)
        {
            _tokens[token.Id] = token.Content;
        }

        _frame = SpecialTokenFrame.Read(root.Required("post_processor"), id => TokenText(id) is not null);
        _verbatim = new AddedTokenFinder(_addedTokens.Values.Where(token => !token.IsNormalized).Select(token => (token.Content, token)));
        _normalized = new AddedTokenFinder(_addedTokens.Values.Where(token => token.IsNormalized).Select(token => (_normalizer.Apply(token.Content), token)));
    }

    /// <summary>One more than the highest id of a token. Ids may have gaps, and the embedding table of a model may have more rows.</summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>Reads a tokenizer file.</summary>
    /// <param name="tokenizerJsonPath">The path of a <c>tokenizer.json</c>.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="TokenizerException">The file cannot be read, is malformed, or asks for something that is not implemented.</exception>
    public static Tokenizer Open(string tokenizerJsonPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(tokenizerJsonPath);
        return Parse(TextFile.Read(tokenizerJsonPath, MaximumFileBytes), tokenizerJsonPath);
    }

    /// <summary>Reads a tokenizer from the bytes of its file.</summary>
    /// <param name="utf8Json">The bytes; they are not kept.</param>
    /// <param name="fileName">What errors call the file.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="TokenizerException">The file is malformed, or asks for something that is not implemented.</exception>
    public static Tokenizer Parse(ReadOnlySpan<byte> utf8Json, string fileName)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        using JsonDocument document = TextFile.ParseJson(utf8Json, fileName, MaximumFileBytes);
        return new Tokenizer(new JsonField(document.RootElement, fileName, "$"));
    }

    /// <summary>Encodes a text in which added tokens, special ones too, are recognised. For text that a stranger wrote, use <see cref="EncodeUntrusted(string)"/>.</summary>
    /// <param name="text">The text. Lone surrogates are read as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the file's post-processor adds its tokens, for example a beginning-of-sequence token.</param>
    /// <returns>The ids.</returns>
    /// <exception cref="TokenizerException">The text is longer than <see cref="MaximumTextLength"/>, or a pattern of the file takes too long on it.</exception>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 2 + 8);
        if (addSpecialTokens)
        {
            ids.AddRange(_frame.Before);
        }

        text = Check(text);
        foreach (Section section in _verbatim.Split(text))
        {
            if (section.Token is { } token)
            {
                ids.Add(token.Id);
            }
            else
            {
                EncodeSection(text[section.Start..section.End], atStart: section.Start == 0, recognizeAddedTokens: true, ids);
            }
        }

        if (addSpecialTokens)
        {
            ids.AddRange(_frame.After);
        }

        return [.. ids];
    }

    /// <summary>Encodes a text that nobody vouches for, such as a user's question: no added token is recognised in it, so <c>&lt;image&gt;</c> is seven characters.</summary>
    /// <param name="text">The text. Lone surrogates are read as U+FFFD.</param>
    /// <returns>The ids, without those of the post-processor and without any special token but the unknown token.</returns>
    /// <exception cref="TokenizerException">The text is too long, a pattern takes too long on it, or the model's own vocabulary makes a special token of it.</exception>
    public int[] EncodeUntrusted(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 2 + 8);
        EncodeUntrusted(text, atStart: true, ids);
        return [.. ids];
    }

    /// <summary>Decodes ids into a text.</summary>
    /// <param name="ids">The ids. Those that no token has add no text; bytes that are no UTF-8 become U+FFFD.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    /// <returns>The text.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is negative.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true) => CreateTextStream(skipSpecialTokens).DecodeAll(ids);

    /// <summary>Makes a decoder that takes one id at a time.</summary>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    /// <returns>A stream, owned by the caller, to be used by one thread at a time.</returns>
    public TextStream CreateTextStream(bool skipSpecialTokens = true) => new(this, _decoder, skipSpecialTokens);

    /// <summary>Looks up a token, added or not.</summary>
    /// <param name="token">The token as the file writes it (byte-level pieces in GPT-2's alphabet, SentencePiece's with U+2581).</param>
    /// <param name="id">Its id.</param>
    /// <returns>Whether there is such a token.</returns>
    public bool TryGetId(string token, out int id)
    {
        ArgumentNullException.ThrowIfNull(token);
        if (_addedTokens.TryGetValue(token, out AddedToken? added))
        {
            id = added.Id;
            return true;
        }

        return _model.Ids.TryGetValue(token, out id);
    }

    /// <summary>Tells whether an id is that of a special token (one that <see cref="Decode"/> leaves out).</summary>
    /// <param name="id">The id.</param>
    /// <returns>Whether it is special.</returns>
    public bool IsSpecial(int id) => _addedTokensById.TryGetValue(id, out AddedToken? token) && token.IsSpecial;

    /// <summary>The token of an id as the file writes it, or null if no token has the id.</summary>
    /// <param name="id">The id.</param>
    /// <returns>The token.</returns>
    public string? TokenText(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    internal string File => _file;

    internal SpecialTokenFrame Frame => _frame;

    internal AddedToken? AddedTokenOf(int id) => _addedTokensById.GetValueOrDefault(id);

    internal void EncodeUntrusted(string text, bool atStart, List<int> ids)
    {
        int before = ids.Count;
        text = Check(text);
        if (text.Length > 0)
        {
            EncodeSection(text, atStart, recognizeAddedTokens: false, ids);
        }

        for (int i = before; i < ids.Count; i++)
        {
            // Not reachable through added tokens; but a vocabulary may hold them too, and ignore_merges or a merge may lead there.
            if (IsSpecial(ids[i]) && ids[i] != _model.UnknownId)
            {
                throw new TokenizerException(TokenizerError.SpecialTokenInText, _file, "text", $"the text encodes to the special token \"{TokenText(ids[i])}\" by the model's own vocabulary");
            }
        }
    }

    private void EncodeSection(string text, bool atStart, bool recognizeAddedTokens, List<int> ids)
    {
        text = _normalizer.Apply(text);
        List<Section> sections = recognizeAddedTokens ? _normalized.Split(text) : text.Length > 0 ? [new Section(0, text.Length, null)] : [];
        var pieces = new List<Piece>();
        foreach (Section section in sections)
        {
            if (section.Token is { } token)
            {
                ids.Add(token.Id);
                continue;
            }

            pieces.Clear();
            _preTokenizer.Split(new Piece(text[section.Start..section.End], atStart && section.Start == 0), pieces);
            foreach (Piece piece in pieces)
            {
                _model.Encode(piece.Text, ids);
            }
        }
    }

    private string Check(string text)
    {
        if (text.Length > MaximumTextLength)
        {
            throw new TokenizerException(TokenizerError.TooLarge, _file, "text", $"the text has {text.Length} characters; at most {MaximumTextLength} are accepted");
        }

        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return text;
        }

        // EnumerateRunes reads a lone surrogate as U+FFFD.
        var wellFormed = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            wellFormed.Append(rune);
        }

        return wellFormed.ToString();
    }

    private static Dictionary<string, AddedToken> ReadAddedTokens(JsonField root, BytePairModel model)
    {
        var tokens = new Dictionary<string, AddedToken>(StringComparer.Ordinal);
        if (root.Optional("added_tokens") is not { } list)
        {
            return tokens;
        }

        var contents = model.Ids.ToDictionary(pair => pair.Value, pair => pair.Key);
        foreach (JsonField item in list.Items(MaximumAddedTokens))
        {
            AddedToken token = AddedToken.Read(item);
            bool isTaken = contents.TryGetValue(token.Id, out string? other) && other != token.Content;
            if (!tokens.TryAdd(token.Content, token) || isTaken || (model.Ids.TryGetValue(token.Content, out int id) && id != token.Id))
            {
                throw item.Fail(TokenizerError.DuplicateToken, $"the token \"{token.Content}\" or its id {token.Id} is already taken");
            }

            contents[token.Id] = token.Content;
        }

        return tokens;
    }
}
