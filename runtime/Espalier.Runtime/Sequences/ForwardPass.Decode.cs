using Espalier.Planning;

namespace Espalier;

// Decode: one new row, or the rows of a text that follows, through the layers.
public sealed partial class ForwardPass
{
    private int _skipsLeft;
    private bool _evicted;

    /// <summary>Decode steps since the answer began, this one among them; 0 while text is added, which never skips anything.</summary>
    public int AnswerTokens { get; private set; }

    /// <summary>Feed-forward layers that the steps of this answer have skipped.</summary>
    internal int SkippedFeedForwards { get; private set; }

    /// <summary>Text tokens that have left the caches since the prompt.</summary>
    internal int EvictedTextTokens => _text?.Evicted ?? 0;

    /// <summary>True if the caches still hold all rows of the prefix.</summary>
    internal bool HoldsPrefix => _text?.HoldsPrefix ?? true;

    /// <summary>Text tokens, prefix and all behind the image, to which the caches can be cut back.</summary>
    internal int FixedTextTokens => _text?.Fixed ?? 0;

    /// <summary>Opens a decode step. The runtime has embedded the token, or the tokens of a text that follows.</summary>
    public void BeginDecode()
    {
        Require(_phase == PassPhase.DecodeReady, "decoding follows a prefill");
        _phase = PassPhase.Decode;
        _nextLayer = 0;
        _halfRun = false;
        _skipsLeft = 0;
        _evicted = false;
        _runs.Begin();
    }

    /// <summary>Lets text rows leave all caches that are neither among the first, nor separators, nor near the last separator (SepLLM, arXiv 2412.12094). Those that stay move together, and keep their positions.</summary>
    /// <param name="initial">Text tokens at the beginning of the prompt that stay.</param>
    /// <param name="neighbours">Text tokens up to the last separator that stay.</param>
    public void EvictText(int initial, int neighbours)
    {
        Require(_phase == PassPhase.Decode && _nextLayer == 0 && !_evicted, "text leaves once, before the layers of a decode step");
        Require(_plan.Eviction is { } eviction && eviction.Initial == initial && eviction.Neighbours == neighbours, "the plan lets other text leave");
        _text!.Evict(_cache);
        _evicted = true;
    }

    /// <summary>Runs the one new row, or the new rows of a text that follows, through a layer and adds them to its KV cache.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    public void RunDecode(int layer)
    {
        Enter(PassPhase.Decode, layer);
        Require(!_plan.MaySkipAt(layer), "the plan runs this layer in halves");
        if (_decodeRows > 1)
        {
            RunTextRows(layer);
            return;
        }

        _cache.Announce(layer, 1);
        _bindings.Decode(layer).Run(_runs.Options);
        _cache.Advance(layer, 1);
    }

    /// <summary>Runs the one new row through the attention of a layer and adds it to the KV cache; <see cref="RunDecodeFeedForward"/> or <see cref="SkipFeedForward"/> follows. Several rows of a text run through the whole layer here.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    public void RunDecodeAttention(int layer)
    {
        Enter(PassPhase.Decode, layer);
        Require(_plan.MaySkipAt(layer), "the plan runs this layer whole");
        _halfRun = true;
        if (_decodeRows > 1)
        {
            RunTextRows(layer);
            return;
        }

        _cache.Announce(layer, 1);
        _bindings.DecodeHalves!.RunAttention(layer);
        _cache.Advance(layer, 1);
    }

    /// <summary>Runs the feed-forward layer behind <see cref="RunDecodeAttention"/>.</summary>
    /// <param name="layer">The layer whose attention has run.</param>
    /// <returns>The cosine of the row before the feed-forward layer and behind its residual (FFN-SkipLLM, arXiv 2404.03865); 0 for several rows of a text, which have run through the whole layer.</returns>
    public float RunDecodeFeedForward(int layer)
    {
        RequireHalf(layer);
        _halfRun = false;
        if (_decodeRows > 1)
        {
            return 0;
        }

        float cosine = _bindings.DecodeHalves!.RunFeedForward(layer);
        FeedForwardSkips skips = _plan.Skips!;
        _skipsLeft = cosine >= skips.Threshold && AnswerTokens > skips.WarmUp ? skips.Following : 0;
        return cosine;
    }

    /// <summary>Leaves out the feed-forward layer behind <see cref="RunDecodeAttention"/>: the row goes on as attention left it.</summary>
    /// <param name="layer">The layer whose attention has run.</param>
    public void SkipFeedForward(int layer)
    {
        RequireHalf(layer);
        Require(_skipsLeft > 0, "a feed-forward layer is skipped only behind one that hardly turned the row");
        _halfRun = false;
        _skipsLeft--;
        SkippedFeedForwards++;
        _bindings.DecodeHalves!.Skip(layer);
    }

    /// <summary>Closes a decode step: logits of the last row.</summary>
    public void EndDecode()
    {
        Require(_phase == PassPhase.Decode && _nextLayer == _plan.Geometry.Text.Layers && !_halfRun, "all layers run before the logits");
        if (_decodeRows > 1)
        {
            _head.Run(_rows.Current, _decodeRows - 1);
        }
        else
        {
            _head.RunDecode(_bindings.DecodeOutput, _runs.Options);
        }

        _phase = PassPhase.DecodeReady;
    }

    private void RequireHalf(int layer) => Require(_phase == PassPhase.Decode && _halfRun && layer == _nextLayer - 1, "the second half of a layer follows its first");
}
