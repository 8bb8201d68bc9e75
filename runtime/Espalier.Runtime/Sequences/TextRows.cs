using Espalier.Planning;

namespace Espalier;

/// <summary>Which text token each KV row of each layer holds, and which of them leave (SepLLM, arXiv 2412.12094). Text tokens are numbered through prompt and answers, without the image.</summary>
/// <remarks>Rows leave before a run, by the last separator that ran before it, so that a text that is added at once loses the rows that it would lose token by token. Nothing managed is allocated once made. Not thread-safe.</remarks>
internal sealed class TextRows
{
    private const int NoText = -1;

    private readonly TextEviction _rule;
    private readonly SeparatorTokens _separators;
    private readonly int[][] _texts;
    private readonly bool[] _isSeparator;
    private readonly int[] _behindImage;
    private readonly int[] _kept;
    private int _count;
    private int _ran;
    private int _prefix;
    private int _lookedAt;

    /// <summary>Makes the numbers for one sequence.</summary>
    /// <param name="rule">Who leaves.</param>
    /// <param name="separators">The separators of the vocabulary.</param>
    /// <param name="layers">Decoder layers.</param>
    /// <param name="capacity">Positions of the sequence, and so the most rows that a layer holds.</param>
    public TextRows(TextEviction rule, SeparatorTokens separators, int layers, int capacity)
    {
        _rule = rule;
        _separators = separators;
        _texts = new int[layers][];
        for (int layer = 0; layer < layers; layer++)
        {
            _texts[layer] = new int[capacity];
        }

        _isSeparator = new bool[capacity];
        _behindImage = new int[capacity];
        _kept = new int[capacity];
    }

    /// <summary>Text tokens that have left since the prompt.</summary>
    public int Evicted { get; private set; }

    /// <summary>Text tokens, from the first on, to which the caches can be cut back: what left since cannot come back.</summary>
    public int Fixed { get; private set; }

    /// <summary>True while the rows of the prefix are all there.</summary>
    public bool HoldsPrefix { get; private set; }

    /// <summary>Begins a prompt.</summary>
    /// <param name="prefix">Tokens before the image; their rows are the first of every layer.</param>
    /// <param name="registers">Learned rows behind the image.</param>
    /// <param name="suffix">Tokens behind them.</param>
    public void Begin(ReadOnlySpan<int> prefix, int registers, ReadOnlySpan<int> suffix)
    {
        _count = 0;
        _prefix = prefix.Length;
        _lookedAt = _rule.Initial;
        Evicted = 0;
        Fixed = 0;
        HoldsPrefix = true;
        Append(prefix);
        Append(suffix);
        _ran = _count;
        _behindImage.AsSpan(0, registers).Fill(NoText);
        for (int i = 0; i < suffix.Length; i++)
        {
            _behindImage[registers + i] = prefix.Length + i;
        }

        foreach (int[] texts in _texts)
        {
            for (int row = 0; row < prefix.Length; row++)
            {
                texts[row] = row;
            }
        }
    }

    /// <summary>Keeps some rows behind the image; the others are in no layer that follows.</summary>
    /// <param name="kept">Strictly ascending indices.</param>
    public void KeepBehindImage(ReadOnlySpan<int> kept)
    {
        for (int i = 0; i < kept.Length; i++)
        {
            _behindImage[i] = _behindImage[kept[i]];
        }
    }

    /// <summary>Says what a layer of a prefill adds behind the prefix.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="visual">Visual rows.</param>
    /// <param name="behind">Rows behind them.</param>
    public void Place(int layer, int visual, int behind)
    {
        Span<int> rows = _texts[layer].AsSpan(_prefix);
        rows[..visual].Fill(NoText);
        _behindImage.AsSpan(0, behind).CopyTo(rows[visual..]);
    }

    /// <summary>Numbers text that the next decode step runs.</summary>
    public void Load(ReadOnlySpan<int> tokens)
    {
        // What a failed step had loaded is forgotten with the prompt, so all that was loaded has run.
        _ran = _count;
        Append(tokens);
    }

    /// <summary>Says that a layer adds the loaded text behind the rows that it has.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="row">Rows that it has.</param>
    public void PlaceLoaded(int layer, int row)
    {
        int[] texts = _texts[layer];
        for (int text = _ran; text < _count; text++)
        {
            texts[row + text - _ran] = text;
        }
    }

    /// <summary>Forgets the last text tokens.</summary>
    public void Drop(int tokens)
    {
        _count -= tokens;

        // What has been looked at and stays may be other text soon.
        _lookedAt = Math.Max(_rule.Initial, Math.Min(_lookedAt, _count));
    }

    /// <summary>How many of some tokens, not loaded yet, can run at once: up to the first separator, among them, behind which others leave.</summary>
    public int Piece(ReadOnlySpan<int> tokens)
    {
        // What the separators before the tokens let leave is gone before they run.
        int from = Math.Max(_lookedAt, LastSeparator(_count) - _rule.Neighbours + 1);
        for (int i = 0; i < tokens.Length; i++)
        {
            if (!_separators.Contains(tokens[i]))
            {
                continue;
            }

            for (int last = _count + i - _rule.Neighbours; from <= last; from++)
            {
                if (!(from < _count ? _isSeparator[from] : _separators.Contains(tokens[from - _count])))
                {
                    return i + 1;
                }
            }
        }

        return tokens.Length;
    }

    /// <summary>Lets rows leave all caches, by the last separator before the loaded text.</summary>
    public void Evict(KeyValueCache cache)
    {
        int last = LastSeparator(_ran) - _rule.Neighbours;
        int leaving = 0;
        for (int text = _lookedAt; text <= last; text++)
        {
            leaving += _isSeparator[text] ? 0 : 1;
            HoldsPrefix &= _isSeparator[text] || text >= _prefix;
        }

        if (leaving > 0)
        {
            for (int layer = 0; layer < _texts.Length; layer++)
            {
                Evict(cache, layer, last);
            }

            Evicted += leaving;
            Fixed = _ran;
        }

        _lookedAt = Math.Max(_lookedAt, last + 1);
    }

    private void Evict(KeyValueCache cache, int layer, int last)
    {
        int[] texts = _texts[layer];
        int length = cache.Length(layer);
        int kept = 0;
        for (int row = 0; row < length; row++)
        {
            if (!Leaves(texts[row], last))
            {
                texts[kept] = texts[row];
                _kept[kept++] = row;
            }
        }

        cache.Keep(layer, _kept.AsSpan(0, kept));
    }

    private bool Leaves(int text, int last) => text >= _lookedAt && text <= last && !_isSeparator[text];

    // Of the first so many text tokens; far before all of them if there is none.
    private int LastSeparator(int count)
    {
        for (int text = count - 1; text >= 0; text--)
        {
            if (_isSeparator[text])
            {
                return text;
            }
        }

        return -1;
    }

    private void Append(ReadOnlySpan<int> tokens)
    {
        foreach (int token in tokens)
        {
            _isSeparator[_count++] = _separators.Contains(token);
        }
    }
}
