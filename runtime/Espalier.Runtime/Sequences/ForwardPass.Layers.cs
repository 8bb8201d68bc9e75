using Espalier.Planning;

namespace Espalier;

// The layers: one call runs all rows of the pass through one of them.
public sealed partial class ForwardPass
{
    /// <summary>Runs all visual and suffix rows through a layer and adds them to its KV cache.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    public void RunDense(int layer)
    {
        Enter(PassPhase.Prefill, layer);
        Require(_plan.KindAt(layer) == LayerKind.Dense, "the plan treats this layer in another way");
        RunRows(layer, _bindings.Dense(layer));
    }

    /// <summary>As <see cref="RunDense"/>, and reads the softmax attention that the last row pays to each visual row, mean over heads.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one score a visual row; its length is <see cref="VisualTokens"/>.</param>
    public void RunScored(int layer, Span<float> scores) => RunKind(layer, LayerKind.Scored, scores);

    /// <summary>As <see cref="RunDense"/>, and reads the softmax attention that the suffix rows pay to each visual row, mean over these rows and the heads.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one score a visual row; its length is <see cref="VisualTokens"/>.</param>
    public void RunTextScored(int layer, Span<float> scores) => RunKind(layer, LayerKind.TextScored, scores);

    /// <summary>As <see cref="RunDense"/>, and reads the importance of each visual row: what five steps of PageRank over the layer's sharpened attention leave at it, root mean square over heads
    /// (AIM, arXiv 2412.03248). The attention of all heads is computed as a whole: floats of heads times rows times keys.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one score a visual row; its length is <see cref="VisualTokens"/>.</param>
    public void RunPageRanked(int layer, Span<float> scores) => RunKind(layer, LayerKind.PageRanked, scores);

    /// <summary>As <see cref="RunDense"/>, and reads the L1 norm of the key of each visual row, over all key heads (DART, arXiv 2502.11494). Those of the text are <see cref="TextKeyNorms"/>.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one norm a visual row; its length is <see cref="VisualTokens"/>.</param>
    public void RunKeyNormed(int layer, Span<float> scores) => RunKind(layer, LayerKind.KeyNormed, scores);

    /// <summary>As <see cref="RunFrozen"/>, and reads norms as <see cref="RunKeyNormed"/> does.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one norm a visual row.</param>
    public void RunFrozenKeyNormed(int layer, Span<float> scores) => RunKind(layer, LayerKind.FrozenKeyNormed, scores);

    /// <summary>Runs the suffix rows through a layer; the visual rows are read by attention and not updated (ShortV, arXiv 2504.00502).</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    public void RunFrozen(int layer)
    {
        Enter(PassPhase.Prefill, layer);
        RunFrozenRows(layer, _bindings.Reduced(layer, LayerKind.Frozen));
    }

    /// <summary>As <see cref="RunFrozen"/>, and reads the attention of the last row as <see cref="RunScored"/> does.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one score a visual row.</param>
    public void RunFrozenScored(int layer, Span<float> scores) => RunKind(layer, LayerKind.FrozenScored, scores);

    /// <summary>As <see cref="RunFrozen"/>, and reads the attention of the suffix rows as <see cref="RunTextScored"/> does.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one score a visual row.</param>
    public void RunFrozenTextScored(int layer, Span<float> scores) => RunKind(layer, LayerKind.FrozenTextScored, scores);

    /// <summary>Runs all visual and suffix rows through a layer in which visual rows do less work, and adds them to its KV cache: text rows do everything, and read all visual rows.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    public void RunPartial(int layer)
    {
        Enter(PassPhase.Prefill, layer);
        RunPartialRows(layer, _bindings.Reduced(layer, LayerKind.Partial));
    }

    /// <summary>As <see cref="RunPartial"/>, and reads the attention of the last row as <see cref="RunScored"/> does.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one score a visual row.</param>
    public void RunPartialScored(int layer, Span<float> scores) => RunKind(layer, LayerKind.PartialScored, scores);

    /// <summary>As <see cref="RunPartial"/>, and reads the attention of the suffix rows as <see cref="RunTextScored"/> does.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one score a visual row.</param>
    public void RunPartialTextScored(int layer, Span<float> scores) => RunKind(layer, LayerKind.PartialTextScored, scores);

    /// <summary>Runs the last row through the last layer. All rows before it are read by attention, and are in the KV cache afterwards, but nobody reads what the layer would make of them.</summary>
    /// <param name="layer">The last decoder layer.</param>
    public void RunLastRow(int layer)
    {
        Enter(PassPhase.Prefill, layer);
        LayerBinding reduced = _bindings.Reduced(layer, LayerKind.LastRow);
        int before = _map.Count + _suffixRows - 1;
        if (before == 0)
        {
            RunRows(layer, _bindings.Dense(layer));
            return;
        }

        _rows.Rejoin(_map.Count, _suffixRows);
        RunReadRows(layer, reduced, before, computed: 1);
    }

    /// <summary>Runs the first half of a layer over all visual and suffix rows, adds them to its KV cache, and reads <see cref="AttentionMap"/>. The step inside of the layer and <see cref="RunFeedForward"/> follow.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    public void RunAttention(int layer)
    {
        Enter(PassPhase.Prefill, layer);
        LayerBinding binding = _bindings.Reduced(layer, _plan.KindAt(layer) == LayerKind.HalvedSoftmax ? LayerKind.HalvedSoftmax : LayerKind.Halved);
        int rows = _map.Count + _suffixRows;
        _readings.BindMap(binding, rows, _cache.Length(layer) + rows);
        RunRows(layer, binding);
        _readings.ReadMap();
        _halfRun = true;
    }

    /// <summary>Runs the second half of a layer over the rows that the step inside of it has left.</summary>
    /// <param name="layer">The layer whose attention has run.</param>
    public void RunFeedForward(int layer)
    {
        Require(_phase == PassPhase.Prefill && _halfRun && layer == _nextLayer - 1, "the second half of a layer follows its first");
        Require(_map.Steps > 0 && _plan.Steps[_map.Steps - 1] is { IsInsideLayer: true } step && step.AfterLayer == layer, "the step inside of the layer comes between its halves");
        LayerBinding binding = _bindings.FeedForward(layer);
        _rows.BindHalf(binding);
        binding.Run();
        _rows.Swap();
        _halfRun = false;
    }

    /// <summary>As <see cref="RunDense"/>, but text rows come out as they went in: what layer contribution asks of a layer (ShortV, arXiv 2504.00502, section 2). All rows are computed.</summary>
    internal void RunHoldingText(int layer)
    {
        Require(layer == HeldTextLayer, "the prefix has held its rows in the same layer");
        Enter(PassPhase.Prefill, layer);
        _rows.Rejoin(_map.Count, _suffixRows);
        RunInPlace(layer);
        _rows.TakeVisual(_map.Count, _suffixRows);
    }

    private void RunKind(int layer, LayerKind kind, Span<float> scores)
    {
        Enter(PassPhase.Prefill, layer);
        Require(scores.Length == _map.Count, "one score a visual token is read");
        LayerBinding binding = _bindings.Reduced(layer, kind);
        int rows = _map.Count + _suffixRows;

        // PageRank asks the rows of the pass alone; the other scores are those of all cache rows.
        int firstVisual = kind == LayerKind.PageRanked ? 0 : _cache.Length(layer);
        _readings.BindScores(binding, firstVisual + rows);
        if (kind == LayerKind.PageRanked)
        {
            _readings.BindQueryRows(binding, rows);
        }
        else if (kind.IsTextScored())
        {
            // Registers are no text: their attention is not asked for.
            _readings.BindQueryRows(binding, _suffixRows - _plan.Registers);
        }

        if (kind.IsFrozen())
        {
            RunFrozenRows(layer, binding);
        }
        else if (kind.IsPartial())
        {
            RunPartialRows(layer, binding);
        }
        else
        {
            RunRows(layer, binding);
        }

        _readings.Scores.Slice(firstVisual, scores.Length).CopyTo(scores);
        _textScores = kind.IsTextScored() || kind.IsKeyNormed() ? firstVisual + scores.Length : 0;
    }

    private void RunRows(int layer, LayerBinding binding)
    {
        _rows.Rejoin(_map.Count, _suffixRows);
        RunOver(layer, binding);
        _rows.Swap();
    }

    private void RunPartialRows(int layer, LayerBinding binding)
    {
        if (_map.Count == 0)
        {
            // A gate has let the visual rows leave; the text does here what it does everywhere.
            RunRows(layer, _bindings.Dense(layer));
            return;
        }

        PartialWork work = _plan.PartialAt(layer)!;
        _partial!.Bind(binding, work, _map.Tokens, _suffixRows, _cache.Length(layer));
        if (work.AttendsApart)
        {
            _rows.BindApart(binding, _cache.Length(layer), _map.Count);
        }

        RunRows(layer, binding);
    }

    /// <summary>The keys and values of the layer are in the cache afterwards; its rows are beside those that went in, which stay the current ones.</summary>
    private void RunInPlace(int layer) => RunOver(layer, _bindings.Dense(layer));

    private void RunOver(int layer, LayerBinding binding)
    {
        _cache.Announce(layer, _rows.Count);
        _rows.BindRows(binding);
        binding.Run();
        _cache.Advance(layer, _rows.Count);
    }

    // The text of a further turn: dense rows over the cache, numbered as the layer numbers what comes behind the image.
    private void RunTextRows(int layer)
    {
        if (_numbering != _numberings[layer])
        {
            _rows.Shift(_shifts[_numberings[layer]] - _shifts[_numbering]);
            _numbering = _numberings[layer];
        }

        RunRows(layer, _bindings.Dense(layer));
    }

    private void RunFrozenRows(int layer, LayerBinding binding) => RunReadRows(layer, binding, _map.Count, _suffixRows);

    /// <summary>Runs the last rows through a layer; those before them are read by attention and not updated.</summary>
    private void RunReadRows(int layer, LayerBinding binding, int read, int computed)
    {
        _rows.Part(read, computed);
        _cache.Announce(layer, read + computed);
        _rows.BindFrozen(binding, _cache.Length(layer));
        binding.Run();
        _rows.SwapText();
        _cache.Advance(layer, read + computed);
    }
}
