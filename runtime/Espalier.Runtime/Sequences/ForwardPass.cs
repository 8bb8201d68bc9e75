using System.Diagnostics.CodeAnalysis;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The rows of one sequence on their way through the layers: what a generated <c>Prefill</c> and <c>DecodeStep</c> drive, one call a layer or step.</summary>
/// <remarks>
/// <para>The rows of a prefill are <c>[visual | suffix]</c>; the prefix is already in the KV cache. Kept rows keep their original positions. Registers, where the plan has some, are the first rows of the suffix.</para>
/// <para>Every call checks that it comes in the order and of the kind that the plan promises, so a loop that skips or repeats a layer or a step fails with an
/// <see cref="InvalidOperationException"/> in place of a wrong answer. Nothing managed is allocated once the shapes of a prompt have been seen. Not thread-safe.</para>
/// </remarks>
public sealed class ForwardPass
{
    private readonly ModelSessions _sessions;
    private readonly ReductionPlan _plan;
    private readonly KeyValueCache _cache;
    private readonly LayerBindings _bindings;
    private readonly PassRows _rows;
    private readonly PassHead _head;
    private readonly VisualTokenMap _map;
    private readonly int[] _numberings;
    private readonly GateBindings? _gates;
    private readonly int[] _shifts;
    private readonly int[] _visualTokens;
    private readonly MergeBuffers _merge = new();
    private float[] _scratch = [];
    private float[] _scores = [];
    private int[] _kept = [];
    private PassPhase _phase;
    private int _nextLayer;
    private int _suffixRows;
    private int _decodeRows = 1;
    private int _numbering;
    private int _textScores;
    private int _textSteps;
    private int _askedGate;
    private bool _exitDue;
    private bool _halfRun;
    private CancellationToken _cancellation;

    internal ForwardPass(ModelSessions sessions, ReductionPlan plan, int capacity)
    {
        _sessions = sessions;
        _plan = plan;
        _cache = new KeyValueCache(plan, capacity);
        _bindings = new LayerBindings(sessions, _cache);
        _rows = new PassRows(sessions);
        _head = new PassHead(sessions);
        _map = new VisualTokenMap(plan);
        _numberings = [.. Enumerable.Range(0, plan.Geometry.Text.Layers).Select(plan.NumberingAt)];
        _shifts = new int[_numberings[^1] + 1];
        _visualTokens = new int[_numberings.Length];
        _gates = plan.Gates is { } gates ? new GateBindings(sessions, gates) : null;
    }

    /// <summary>Visual rows in the pass now.</summary>
    public int VisualTokens => _map.Count;

    /// <summary>The layer behind which all visual rows left in the last prefill; null if they stayed.</summary>
    internal int? ExitLayer { get; private set; }

    /// <summary>The hidden rows of the visual tokens, fp32, row-major <c>[VisualTokens, hidden]</c>: the residual stream, before any norm. Valid until the next call.</summary>
    public ReadOnlySpan<float> VisualRows
    {
        get
        {
            Require(_phase == PassPhase.Prefill, "rows are read in prefill only");
            return _rows.VisualRows(_map.Count);
        }
    }

    /// <summary>Visual rows that the decoder started with.</summary>
    public int EnteredTokens => _map.Entered;

    /// <summary>The attention of the layer whose first half has just run. Only between <see cref="RunAttention"/> and the merge inside of the layer.</summary>
    public AttentionMap AttentionMap
    {
        get
        {
            Require(_phase == PassPhase.Prefill && _halfRun, "the map is there behind the attention of a layer that runs in halves");
            int rows = _map.Count + _suffixRows;
            return new AttentionMap(_rows.Map, (_rows.Map.Length / rows) - rows, _map.Count, _suffixRows - _plan.Registers, _plan.Registers);
        }
    }

    internal KeyValueCache Cache => _cache;

    internal VisualTokenMap Map => _map;

    internal ReadOnlySpan<float> Logits => _head.Logits;

    /// <summary>The layer that text rows pass unchanged, those of the prefix too; -1, as in every declared loop, for none. To be set before the prefix runs.</summary>
    internal int HeldTextLayer { get; set; } = -1;

    /// <summary>Opens a prefill. The runtime has put the visual and suffix rows in place.</summary>
    /// <param name="visualTokens">Visual tokens that the decoder starts with.</param>
    /// <param name="registers">Learned rows that run behind them, in every layer.</param>
    public void BeginPrefill(int visualTokens, int registers = 0)
    {
        Require(_phase == PassPhase.PrefillReady, "a prefill starts only after its rows are in place");
        Require(visualTokens == _map.Count, "the loop was compiled for another number of visual tokens");
        Require(registers == _plan.Registers, "the loop was compiled for another number of registers");
        _phase = PassPhase.Prefill;
        _nextLayer = 0;
        _halfRun = false;
    }

    /// <summary>As <see cref="BeginPrefill"/>, where a step before the decoder decided by the image how many visual tokens there are: <see cref="VisualTokens"/>.</summary>
    /// <param name="visualTokens">Visual tokens that the decoder starts with, at most.</param>
    /// <param name="registers">Learned rows behind them.</param>
    public void BeginPrefillAtMost(int visualTokens, int registers = 0)
    {
        Require(_phase == PassPhase.PrefillReady, "a prefill starts only after its rows are in place");
        Require(registers == _plan.Registers, "the loop was compiled for another number of registers");
        Require(_plan.EntersDynamic && visualTokens == _plan.DecoderVisualTokens && _map.Count is var count && count >= 1 && count <= visualTokens, "the loop was compiled for another number of visual tokens");
        _phase = PassPhase.Prefill;
        _nextLayer = 0;
    }

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
        LayerBinding binding = _bindings.Reduced(layer, LayerKind.Halved);
        int rows = _map.Count + _suffixRows;
        _rows.BindMap(binding, rows, _cache.Length(layer) + rows);
        RunRows(layer, binding);
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

    /// <summary>Reads the softmax attention that the last row would pay to each visual row in the next layer if that ran now, mean over heads (PyramidDrop, arXiv 2410.17247). The layer does not run.</summary>
    /// <param name="layer">The next layer.</param>
    /// <param name="scores">Receives one score a visual row; its length is <see cref="VisualTokens"/>.</param>
    public void ScoreAhead(int layer, Span<float> scores)
    {
        Require(_phase == PassPhase.Prefill && layer == _nextLayer && !_halfRun, "the layer that is asked is the next one");
        Require(scores.Length == _map.Count, "one score a visual token is read");
        _cancellation.ThrowIfCancellationRequested();
        LayerBinding binding = _bindings.Ahead(layer);
        int firstVisual = _cache.Length(layer);
        _rows.Rejoin(_map.Count, _suffixRows);
        _cache.Announce(layer, 0);
        _rows.BindAhead(binding);
        _rows.BindScores(binding, firstVisual + _rows.Count);
        binding.Run();
        _rows.Scores.Slice(firstVisual, scores.Length).CopyTo(scores);
    }

    /// <summary>Lets a scorer of the user's rank the visual rows. The call is direct: <typeparamref name="TScorer"/> is a struct, so this method is compiled for it alone.</summary>
    /// <typeparam name="TScorer">The scorer.</typeparam>
    /// <param name="scores">Receives one score a visual row; its length is <see cref="VisualTokens"/>.</param>
    public void ScoreVisual<TScorer>(Span<float> scores)
        where TScorer : struct, ITokenScorer
    {
        Require(_phase == PassPhase.Prefill, "rows are ranked in prefill only");
        Require(_map.Count > 0 && scores.Length == _map.Count, "one score a visual token is written");

        // A scorer that adds up, or leaves a token out, must not see what was in the scratch before.
        scores.Clear();
        TScorer.Score(new TokenScoreContext(_rows.VisualRows(_map.Count), _map.Tokens, _nextLayer - 1), scores);
    }

    /// <summary>Keeps some visual rows, with their positions; the others leave the sequence.</summary>
    /// <param name="kept">Strictly ascending indices into the current visual rows.</param>
    /// <exception cref="ArgumentException">An index is out of range or not ascending.</exception>
    public void KeepVisual(ReadOnlySpan<int> kept)
    {
        Require(_phase == PassPhase.Prefill && !_halfRun, "rows leave in prefill, behind a whole layer");
        int before = _map.Count;
        _map.CheckKept(kept);
        _map.Keep(kept, _nextLayer - 1);
        _rows.Keep(kept, before, _suffixRows);
    }

    /// <summary>Opens a merge of the visual rows, for a kernel to fill. Its shares are zero, and each row that stays takes all of itself. In memory of the pass, valid until <see cref="MergeVisual"/>.</summary>
    /// <param name="rows">Visual rows that stay.</param>
    public RowMerge Merge(int rows)
    {
        Require(_phase == PassPhase.Prefill && rows > 0 && (rows < _map.Count || (rows == _map.Count && _plan.IsDynamic)), "rows are merged in prefill, into fewer");
        return _merge.Begin(rows, _map.Count - rows, _suffixRows);
    }

    /// <summary>Lets visual rows that stay take in those that leave.</summary>
    /// <param name="merge">What <see cref="Merge"/> handed out, filled: every visual row is in it once. Rows that stay ascend unless <see cref="RenumberRows"/> follows.</param>
    /// <exception cref="ArgumentException">An index is out of range, repeated or not ascending.</exception>
    public void MergeVisual(RowMerge merge)
    {
        Require(_phase == PassPhase.Prefill, "rows are merged in prefill only");
        Require(merge.Rows == _map.Count && _merge.Owns(merge), "the merge is the one that the pass handed out for these rows");
        int before = _map.Count;
        _map.Merge(merge, _nextLayer - 1, _halfRun);
        if (merge.Absorbed.IsEmpty)
        {
            _rows.Keep(merge.Kept, before, _suffixRows);
        }
        else
        {
            _rows.Merge(_merge, before, _suffixRows);
        }
    }

    /// <summary>Keeps those text rows behind the image whose score reaches a multiple of the mean of all of them, with their positions; the last row always stays. The scores are those of the scored layer that ran last.</summary>
    /// <param name="theta">The multiple.</param>
    public void KeepRelevantText(double theta)
    {
        Require(_phase == PassPhase.Prefill && _plan.RelevantTextAfter(_nextLayer - 1) == theta && _textScores > 0, "text rows leave where the plan says so, behind a layer that scores them");
        Span<int> kept = Kept(_suffixRows);

        // Registers, the first rows behind the image, are no text: they stay.
        int registers = _plan.Registers;
        Span<int> text = kept[registers..];
        int count = RelevantTokens.Select(_rows.Scores.Slice(_textScores + registers, text.Length), theta, text);
        if (text[count - 1] != text.Length - 1)
        {
            text[count++] = text.Length - 1;
        }

        for (int i = 0; i < registers + count; i++)
        {
            kept[i] = i < registers ? i : kept[i] + registers;
        }

        count += registers;

        _textScores = 0;
        _rows.KeepText(kept[..count], _map.Count, _suffixRows);
        _suffixRows = count;
        _textSteps++;
    }

    /// <summary>Numbers the rows without gaps from the prefix on. In the layers that follow, decoded tokens follow on these numbers.</summary>
    public void RenumberRows()
    {
        Require(_phase == PassPhase.Prefill && _nextLayer < _numberings.Length, "rows are renumbered in prefill only");
        Require(_numberings[_nextLayer] == _numbering + 1, "the plan renumbers the rows after another step");
        _shifts[++_numbering] = _map.ImagePositions - _map.Count;
        _rows.Rejoin(_map.Count, _suffixRows);
        _rows.Renumber();
    }

    /// <summary>Asks the gate behind the layer that ran last whether the visual rows leave now (DyVTE, arXiv 2411.19628). Where it says so, <see cref="ExitVisual"/> follows and no further gate is asked.</summary>
    /// <param name="layer">The layer that ran last.</param>
    public bool Gate(int layer)
    {
        Require(_phase == PassPhase.Prefill && _plan.Gates?.IsBehind(layer) == true && layer == _nextLayer - 1, "the plan has no gate here");
        Require(_map.Count > 0 && _askedGate < layer, "a gate is asked once, and while there are visual tokens");
        _cancellation.ThrowIfCancellationRequested();
        _rows.Rejoin(_map.Count, _suffixRows);
        _askedGate = layer;
        _exitDue = _gates!.Exits(layer, _rows.Current, _suffixRows);
        return _exitDue;
    }

    /// <summary>All visual rows leave the sequence.</summary>
    public void ExitVisual()
    {
        Require(_phase == PassPhase.Prefill && !_halfRun, "rows leave in prefill, behind a whole layer");
        int before = _map.Count;
        if (_plan.Gates is null)
        {
            _map.Keep([], _nextLayer - 1);
        }
        else
        {
            Require(_exitDue, "no gate said that the visual tokens leave");
            _exitDue = false;
            _map.Leave();
        }

        ExitLayer = _nextLayer - 1;
        _rows.Exit(before, _suffixRows);
    }

    /// <summary>Closes a prefill: logits of the last row.</summary>
    public void EndPrefill()
    {
        Require(_phase == PassPhase.Prefill && _nextLayer == _plan.Geometry.Text.Layers, "all layers run before the logits");
        Require(_map.Steps == _plan.Steps.Count && _textSteps == _plan.TextSteps, "all steps run before the logits");
        _head.Run(_rows.Last, _rows.Last.Rows - 1);
        _phase = PassPhase.DecodeReady;
    }

    /// <summary>Opens a decode step. The runtime has embedded the token, or the tokens of a text that follows.</summary>
    public void BeginDecode()
    {
        Require(_phase == PassPhase.DecodeReady, "decoding follows a prefill");
        _phase = PassPhase.Decode;
        _nextLayer = 0;
    }

    /// <summary>Runs the one new row, or the new rows of a text that follows, through a layer and adds them to its KV cache.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    public void RunDecode(int layer)
    {
        Enter(PassPhase.Decode, layer);
        if (_decodeRows > 1)
        {
            RunTextRows(layer);
            return;
        }

        _cache.Announce(layer, 1);
        _bindings.Decode(layer).Run();
        _cache.Advance(layer, 1);
    }

    /// <summary>Closes a decode step: logits of the last row.</summary>
    public void EndDecode()
    {
        Require(_phase == PassPhase.Decode && _nextLayer == _plan.Geometry.Text.Layers, "all layers run before the logits");
        _head.Run(_decodeRows > 1 ? _rows.Current : _bindings.DecodeOutput, _decodeRows - 1);
        _phase = PassPhase.DecodeReady;
    }

    /// <summary>Scratch for a kernel, owned by the pass and valid until the next call.</summary>
    /// <param name="count">Elements.</param>
    public Span<float> Scratch(int count)
    {
        if (_scratch.Length < count)
        {
            _scratch = new float[count];
        }

        return _scratch.AsSpan(0, count);
    }

    /// <summary>Scratch for scores, owned by the pass and valid until the next call.</summary>
    /// <param name="count">Elements.</param>
    public Span<float> Scores(int count)
    {
        if (_scores.Length < count)
        {
            _scores = new float[count];
        }

        return _scores.AsSpan(0, count);
    }

    /// <summary>Scratch for kept indices, owned by the pass and valid until the next call.</summary>
    /// <param name="count">Elements.</param>
    public Span<int> Kept(int count)
    {
        if (_kept.Length < count)
        {
            _kept = new int[count];
        }

        return _kept.AsSpan(0, count);
    }

    /// <summary>Releases the buffers; the sequence calls it, no loop does.</summary>
    internal void Dispose()
    {
        _bindings.Dispose();
        _rows.Dispose();
        _merge.Dispose();
        _gates?.Dispose();
        _head.Dispose();
        _cache.Dispose();
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

    /// <summary>Runs text rows alone through all layers, from an empty cache: the prefix.</summary>
    internal void RunPrefix(EmbeddingTable embeddings, ReadOnlySpan<int> prefix, CancellationToken cancellation)
    {
        Reset();
        _cancellation = cancellation;
        _rows.LoadText(embeddings, prefix, firstPosition: 0);
        for (int layer = 0; layer < _plan.Geometry.Text.Layers; layer++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (layer == HeldTextLayer)
            {
                RunInPlace(layer);
                continue;
            }

            RunRows(layer, _bindings.Dense(layer));
        }
    }

    /// <summary>Puts the visual rows of an encoded image and the suffix in place behind a prefix that the cache holds.</summary>
    internal void LoadPrompt(ImagePass image, EmbeddingTable embeddings, int prefixRows, ReadOnlySpan<int> suffix, CancellationToken cancellation)
    {
        _cache.SetLength(prefixRows);
        _cancellation = cancellation;
        _suffixRows = _plan.Registers + suffix.Length;
        if (_plan.IsDynamic)
        {
            _rows.Reserve(_plan.DecoderVisualTokens, _suffixRows, prefixRows);
            if (_plan.MergesInDecoder)
            {
                _merge.Reserve(_plan.DecoderVisualTokens, _suffixRows);
            }
        }

        _rows.LoadPrompt(image, embeddings, prefixRows, _map, _sessions.Registers, suffix);
        _numbering = 0;
        _textScores = 0;
        _textSteps = 0;
        _askedGate = -1;
        _exitDue = false;
        ExitLayer = null;
        _phase = PassPhase.PrefillReady;
    }

    /// <summary>Embeds the token of the next decode step.</summary>
    internal void LoadToken(EmbeddingTable embeddings, int token, int position, CancellationToken cancellation)
    {
        RequirePrompt();
        _cancellation = cancellation;
        _decodeRows = 1;
        _bindings.LoadDecode(embeddings, token, position, _shifts);
    }

    /// <summary>Embeds text that follows what the sequence holds; the next decode step runs all of it.</summary>
    internal void LoadText(EmbeddingTable embeddings, ReadOnlySpan<int> tokens, int position, CancellationToken cancellation)
    {
        if (tokens.Length == 1)
        {
            LoadToken(embeddings, tokens[0], position, cancellation);
            return;
        }

        RequirePrompt();
        _cancellation = cancellation;
        _decodeRows = tokens.Length;
        _rows.LoadText(embeddings, tokens, position);
        _numbering = 0;
    }

    /// <summary>Forgets the last text rows in every layer.</summary>
    internal void Drop(int rows)
    {
        RequirePrompt();
        _cache.Drop(rows);
    }

    /// <summary>The visual rows that the last prefill had in each segment of the plan.</summary>
    internal EquatableArray<int> SegmentTokens()
    {
        var counts = new int[_plan.Segments.Count];
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] = _visualTokens[_plan.Segments[i].FirstLayer];
        }

        return new EquatableArray<int>(counts);
    }

    /// <summary>Fails if the loop returned before its end.</summary>
    internal void RequireLogits() => Require(_phase == PassPhase.DecodeReady, "the loop ends with the logits");

    /// <summary>Forgets everything: after a failure or a cancellation the sequence starts anew.</summary>
    internal void Reset()
    {
        _phase = PassPhase.Idle;
        _cache.SetLength(0);
    }

    private void Enter(PassPhase phase, int layer)
    {
        Require(_phase == phase, "the pass is in another phase");
        Require(layer == _nextLayer && layer < _plan.Geometry.Text.Layers, "layers run in order");
        Require(phase != PassPhase.Prefill || _plan.Gates is not { } gates || IsGateHeard(gates, layer - 1), "the gate behind a layer is asked, and what it says is done");
        Require(phase != PassPhase.Prefill || !_halfRun, "both halves of a layer run before the next");
        _cancellation.ThrowIfCancellationRequested();
        if (phase == PassPhase.Prefill)
        {
            Require(_numbering == _numberings[layer], "the rows are numbered in another way");
            _visualTokens[layer] = _map.Count;
        }

        _nextLayer++;
    }

    private bool IsGateHeard(ExitGates gates, int layer) => !_exitDue && (!gates.IsBehind(layer) || _map.Count == 0 || _askedGate == layer);

    private void RunKind(int layer, LayerKind kind, Span<float> scores)
    {
        Enter(PassPhase.Prefill, layer);
        Require(scores.Length == _map.Count, "one score a visual token is read");
        LayerBinding binding = _bindings.Reduced(layer, kind);
        int firstVisual = _cache.Length(layer);
        _rows.BindScores(binding, firstVisual + _map.Count + _suffixRows);
        if (kind.IsTextScored())
        {
            // Registers are no text: their attention is not asked for.
            _rows.BindQueryRows(binding, _suffixRows - _plan.Registers);
        }

        if (kind.IsFrozen())
        {
            RunFrozenRows(layer, binding);
        }
        else
        {
            RunRows(layer, binding);
        }

        _rows.Scores.Slice(firstVisual, scores.Length).CopyTo(scores);
        _textScores = kind.IsTextScored() ? firstVisual + scores.Length : 0;
    }

    private void RunRows(int layer, LayerBinding binding)
    {
        _rows.Rejoin(_map.Count, _suffixRows);
        RunOver(layer, binding);
        _rows.Swap();
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

    private void RequirePrompt()
    {
        if (_phase != PassPhase.DecodeReady)
        {
            throw new InvalidOperationException("The sequence holds no prompt: run a prefill before decoding, also after a cancelled or failed call.");
        }
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

    private void Require([DoesNotReturnIf(false)] bool condition, string rule)
    {
        if (!condition)
        {
            ThrowOrder(rule);
        }
    }

    [DoesNotReturn]
    private void ThrowOrder(string rule) =>
        throw new InvalidOperationException($"The forward loop does not follow its plan: {rule} (phase {_phase}, next layer {_nextLayer}, {_map.Count} visual tokens).");
}

/// <summary>Where a pass stands.</summary>
internal enum PassPhase
{
    /// <summary>Nothing is loaded.</summary>
    Idle,

    /// <summary>Rows are in place, the loop has not begun.</summary>
    PrefillReady,

    /// <summary>Inside the prefill loop.</summary>
    Prefill,

    /// <summary>Logits are ready, a token may follow.</summary>
    DecodeReady,

    /// <summary>Inside a decode step.</summary>
    Decode,
}
