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
public sealed partial class ForwardPass
{
    private readonly ModelSessions _sessions;
    private readonly ReductionPlan _plan;
    private readonly KeyValueCache _cache;
    private readonly LayerBindings _bindings;
    private readonly PassRows _rows;
    private readonly LayerReadings _readings;
    private readonly PassHead _head;
    private readonly DecodeRuns _runs;
    private readonly VisualTokenMap _map;
    private readonly int[] _numberings;
    private readonly GateBindings? _gates;
    private readonly TextRows? _text;
    private readonly LayerBinding? _finalNorm;
    private readonly int[] _shifts;
    private readonly int[] _visualTokens;
    private readonly TextRaterRows _raters;
    private readonly MergeBuffers _merge;
    private readonly PartialInputs? _partial;
    private LentMemory<float> _scratch;
    private LentMemory<float> _scores;
    private LentMemory<int> _kept;
    private PassPhase _phase;
    private int _nextLayer;
    private int _suffixRows;
    private int _enteredSuffixRows;
    private int _decodeRows = 1;
    private int _numbering;
    private int _textScores;
    private int _textSteps;
    private int _askedGate;
    private bool _exitDue;
    private bool _halfRun;
    private CancellationToken _cancellation;

    /// <summary>Makes a pass.</summary>
    /// <param name="sessions">The sessions.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="capacity">Positions.</param>
    /// <param name="memory">What prompts are computed in; it outlives the pass.</param>
    /// <param name="place">Where a sequence of a batch lies; null for one that has memory of its own.</param>
    internal ForwardPass(ModelSessions sessions, ReductionPlan plan, int capacity, PrefillMemory memory, BatchPlace? place = null)
    {
        _sessions = sessions;
        _plan = plan;
        _cache = place?.Arrays is { } arrays ? new KeyValueCache(arrays, place.Slot) : new KeyValueCache(plan, capacity, sessions.Memory, sessions.KeepCached is { } moves ? new CachedRowMoves(moves, sessions.Memory) : null, sessions.Rows);
        _bindings = new LayerBindings(sessions, _cache);
        _runs = new DecodeRuns(sessions);
        _head = new PassHead(sessions, place?.Logits.Of(place.Slot) ?? 0);
        _rows = memory.Rows;
        _readings = memory.Readings;
        _merge = memory.Merge;
        _map = memory.Map;
        _numberings = [.. Enumerable.Range(0, plan.Geometry.Text.Layers).Select(plan.NumberingAt)];
        _shifts = new int[_numberings[^1] + 1];
        _visualTokens = new int[_numberings.Length];
        _partial = memory.Partial;
        _text = plan.Eviction is { } eviction ? new TextRows(eviction, sessions.Separators!, _numberings.Length, capacity) : null;
        _raters = new TextRaterRows(plan, capacity);
        _finalNorm = sessions.FinalNorm is { } norm ? new LayerBinding(norm) : null;
        _gates = plan.Gates is { } gates ? new GateBindings(sessions, gates) : null;
    }

    /// <summary>Visual rows in the pass now.</summary>
    public int VisualTokens => _map.Count;

    /// <summary>The layer behind which all visual rows left in the last prefill; null if they stayed.</summary>
    internal int? ExitLayer { get; private set; }

    internal KeyValueCache Cache => _cache;

    internal DeviceMemory Memory => _sessions.Memory;

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
        _halfRun = false;
    }

    /// <summary>Closes a prefill: logits of the last row.</summary>
    public void EndPrefill()
    {
        Require(_phase == PassPhase.Prefill && _nextLayer == _plan.Geometry.Text.Layers, "all layers run before the logits");
        Require(_map.Steps == _plan.Steps.Count && _textSteps == _plan.TextSteps, "all steps run before the logits");
        _head.Run(_rows.Last, _rows.Last.Rows - 1);
        _phase = PassPhase.DecodeReady;
    }

    private void Enter(PassPhase phase, int layer)
    {
        Require(_phase == phase, "the pass is in another phase");
        Require(layer == _nextLayer && layer < _plan.Geometry.Text.Layers, "layers run in order");
        Require(phase != PassPhase.Prefill || _plan.Gates is not { } gates || IsGateHeard(gates, layer - 1), "the gate behind a layer is asked, and what it says is done");
        Require(!_halfRun, "both halves of a layer run before the next");
        _cancellation.ThrowIfCancellationRequested();
        if (phase == PassPhase.Prefill)
        {
            Require(_numbering == _numberings[layer], "the rows are numbered in another way");
            _visualTokens[layer] = _map.Count;
            _text?.Place(layer, _map.Count, _suffixRows);
        }
        else
        {
            Require(_text is null || _evicted, "text leaves before a decode step");
            _text?.PlaceLoaded(layer, _cache.Length(layer));
        }

        _nextLayer++;
    }

    private bool IsGateHeard(ExitGates gates, int layer) => !_exitDue && (!gates.IsBehind(layer) || _map.Count == 0 || _askedGate == layer);

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
