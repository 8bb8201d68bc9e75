using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The sessions that one plan runs.</summary>
/// <remarks>Thread-safe once made: sessions are shared by all sequences of the model, bindings are not.</remarks>
internal sealed class ModelSessions
{
    private readonly ReductionPlan _plan;
    private readonly OrtSession[] _dense;
    private readonly OrtSession[] _decode;
    private readonly OrtSession?[] _reduced;
    private readonly OrtSession?[] _ahead;
    private readonly OrtSession?[] _gates;
    private readonly OrtSession?[] _feedForward;
    private readonly OrtSession?[] _decodeAttention;
    private readonly OrtSession?[] _decodeFeedForward;
    private readonly Func<int, int, OrtSession> _together;

    /// <summary>Builds the sessions that do not exist yet.</summary>
    /// <param name="cache">Where they are kept.</param>
    /// <param name="plan">What they are for.</param>
    /// <param name="options">How they are built.</param>
    /// <param name="declared">The precision, for options that name none.</param>
    public ModelSessions(SessionCache cache, ReductionPlan plan, ModelOptions options, Precision declared = Precision.Float32)
    {
        Precision = options.Precision ?? declared;
        if (options.TraceFolder is { } traces && !Directory.Exists(traces))
        {
            throw new DirectoryNotFoundException($"{traces}: there is no such folder for traces. Make it, or set ModelOptions.TraceFolder to another.");
        }

        if (options.Device.Provider is CudaExecutionProvider cuda)
        {
            // First what is missing here, then what the device does not run.
            cuda.RequireAvailable();
        }

        PrecisionFormats formats = PrecisionFormats.For(Precision, options.Device.Provider, format => cache.IsExact(options.Device.Provider, format));
        VictorWeights? summary = cache.Learned.FindRegisters(plan);
        DyVteWeights? gates = cache.Learned.FindGates(plan);
        LearnedFile? matrices = cache.Learned.FindMatrices(plan);
        Clip = cache.Learned.FindClip(plan);
        Registers = summary?.Rows ?? [];
        Separators = cache.FindSeparators(plan);
        LearnedFile? learned = summary?.File;
        if (formats.Decoder is QuantisedFormat && plan.Segments.Any(static segment => segment.Partial is { CutsWeights: true }))
        {
            throw new PrecisionNotSupportedException(Precision, options.Device.Provider.Name, "the plan lets visual tokens multiply parts of the decoder's weights, and quantised weights are stored whole. Load in Precision.Float32, or declare no policy that leaves out neurons or heads.");
        }

        cache.Prepare(formats, options, summary, gates);
        Memory = cache.Memory(options.Device.Provider);
        Rows = formats.Rows;
        RewritesGraphs = options.Device.Provider.RewritesGraphs;
        _plan = plan;
        int layers = plan.Geometry.Text.Layers;
        _dense = new OrtSession[layers];
        _decode = new OrtSession[layers];
        _reduced = new OrtSession?[layers];
        _ahead = new OrtSession?[layers];
        _gates = new OrtSession?[layers];
        _feedForward = new OrtSession?[layers];
        _decodeAttention = new OrtSession?[layers];
        _decodeFeedForward = new OrtSession?[layers];

        Step? output = plan.StepAt(Site.VisionOutput);
        bool merges = plan.Steps.Any(static step => step is { IsVisionSide: false, IsMerge: true });
        bool oneRowApart = !cache.SharesDecodeGraph(options.Device.Provider);
        Thread = options.Device.Provider.ReplayThread;
        bool replays = RunsAhead && plan.Skips is null;
        oneRowApart |= replays;
        bool decodesApart = formats.Decode != formats.Decoder || oneRowApart;
        bool mergesProjected = plan.StepAt(Site.Projected) is { IsMerge: true };
        bool norms = plan.Steps.Any(static step => step.Kernel is { } kernel && (kernel.Inputs & KernelInputs.NormedRows) != 0);
        bool movesCached = plan.Eviction is not null && !Memory.IsHost;
        bool copiesPrefixes = !Memory.IsHost;
        int total = 5 + (Clip is null ? 0 : 2) + (copiesPrefixes ? 2 : 0) + (replays ? 1 : 0) + (movesCached ? 1 : 0) + (mergesProjected ? 1 : 0) + (norms ? 1 : 0) + (plan.ReducesTower ? TowerSessions.Count(plan) : 1) + (decodesApart ? 2 * layers : layers) + (output is null ? 0 : 1) + (merges ? 1 : 0);
        for (int layer = 0; layer < layers; layer++)
        {
            total += (plan.KindAt(layer) switch { LayerKind.Dense => 0, LayerKind.Halved or LayerKind.HalvedSoftmax => 2, _ => 1 }) + (plan.IsScoredAhead(layer) ? 1 : 0) + (plan.Gates?.IsBehind(layer) == true ? 1 : 0) + (plan.MaySkipAt(layer) ? 2 : 0);
        }

        int ready = 0;
        OrtSession Get(ModelPart part, LinearFormat? format = null, int layer = 0, LayerKind kind = LayerKind.Dense, TowerScores? scores = null, int width = 0, TowerSection? section = null, PartialWork? partial = null, bool oneRow = false, bool replayed = false)
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            OrtSession session = cache.Get(new SessionKey(options.Device.Provider, part, format, layer, kind, scores, width, Section: section, Partial: partial, RunsOneRow: oneRow, Rows: part == ModelPart.ClipText ? OrtElementType.Float : formats.Rows, Replayed: replayed, Clip: part is ModelPart.ClipText or ModelPart.ClipPatches ? Clip!.Geometry : null), part switch { ModelPart.ClipText or ModelPart.ClipPatches => Clip!.File, ModelPart.Gate => gates!.File, ModelPart.MergedTowerLayers => matrices, _ => learned }, options.TraceFolder);
            options.Progress?.Report(new LoadProgress(LoadStage.BuildSessions, ++ready, total));
            return session;
        }

        // Asked for when a batch is made: how many sequences it has is in the graph.
        _together = (layer, sequences) => cache.Get(new SessionKey(options.Device.Provider, ModelPart.BatchLayer, formats.Decode, layer, RunsOneRow: true, Sequences: sequences), learned, options.TraceFolder);

        if (plan.ReducesTower)
        {
            Tower = new TowerSessions(plan, (part, section) => Get(part, part == ModelPart.AbsorbFeatures ? null : formats.Vision, section: section));
        }
        else
        {
            Vision = output?.TowerScores is { } scores ? Get(ModelPart.ScoredVision, formats.Vision, scores: scores) : Get(ModelPart.Vision, formats.Vision);
        }

        if (output is not null)
        {
            ReduceFeatures = Get(output.Compress == Compress.Drop ? ModelPart.GatherFeatures : ModelPart.MergeFeatures);
        }

        Projector = Get(ModelPart.Projector, formats.Vision);
        for (int layer = 0; layer < layers; layer++)
        {
            // Prefix and decode rows take the dense session whatever the plan does to visual rows.
            _dense[layer] = Get(ModelPart.DecoderLayer, formats.Decoder, layer, LayerKind.Dense);
            _decode[layer] = decodesApart ? Get(ModelPart.DecoderLayer, formats.Decode, layer, LayerKind.Dense, oneRow: oneRowApart, replayed: replays) : _dense[layer];
            if (plan.KindAt(layer) != LayerKind.Dense)
            {
                _reduced[layer] = Get(ModelPart.DecoderLayer, formats.Decoder, layer, plan.KindAt(layer), partial: plan.KindAt(layer).IsPartial() ? plan.PartialAt(layer) : null);
            }

            if (plan.KindAt(layer).IsHalved())
            {
                _feedForward[layer] = Get(ModelPart.FeedForward, formats.Decoder, layer);
            }

            if (plan.MaySkipAt(layer))
            {
                _decodeAttention[layer] = Get(ModelPart.DecodeAttention, formats.Decode, layer);
                _decodeFeedForward[layer] = Get(ModelPart.DecodeFeedForward, formats.Decode, layer);
            }

            if (plan.IsScoredAhead(layer))
            {
                _ahead[layer] = Get(ModelPart.LayerScore, formats.Decoder, layer);
            }

            if (plan.Gates?.IsBehind(layer) == true)
            {
                _gates[layer] = Get(ModelPart.Gate, formats.Decode, layer, width: gates!.Widths[layer]);
            }
        }

        Head = Get(ModelPart.Head, formats.Decode);
        DecodeHead = replays ? Get(ModelPart.Head, formats.Decode, replayed: true) : null;
        Captured = replays ? [.. _decode.Append(DecodeHead!).Where(static session => session.CapturesRuns)] : [];
        ReplaysAll = replays && Captured.Count == layers + 1;
        Execution = Describe(options.Device, ReplaysAll ? null : replays ? cache.WhyNotReplayed(options.Device.Provider) : "the row itself says which feed-forward layers a step runs");
        GatherRows = Get(ModelPart.GatherRows);
        KeepCached = movesCached ? Get(ModelPart.KeepCached) : null;
        TakePrefix = copiesPrefixes ? Get(ModelPart.TakePrefix) : null;
        PutPrefix = copiesPrefixes ? Get(ModelPart.PutPrefix) : null;
        MergeRows = merges ? Get(ModelPart.MergeRows) : null;
        FinalNorm = norms ? Get(ModelPart.FinalNorm) : null;
        MergeProjected = mergesProjected ? Get(ModelPart.MergeProjected) : null;
        if (Clip is not null)
        {
            ClipText = Get(ModelPart.ClipText);
            ClipPatches = Get(ModelPart.ClipPatches);
        }

        PartRows = Get(ModelPart.PartRows);
        JoinRows = Get(ModelPart.JoinRows);
    }

    /// <summary>The shapes that the sessions were built for.</summary>
    public ModelGeometry Geometry => _plan.Geometry;

    /// <summary>Where the sessions read and write.</summary>
    public DeviceMemory Memory { get; }

    /// <summary>The thread on which decode steps run; null where any thread may run them.</summary>
    public DeviceThread? Thread { get; }

    /// <summary>True if the runs of a decode step may be asked for one behind the other, without waiting.</summary>
    public bool RunsAhead => Thread is not null;

    /// <summary>The sessions of a decode step whose runs the device captures.</summary>
    public IReadOnlyList<OrtSession> Captured { get; }

    /// <summary>True if these are all of them.</summary>
    public bool ReplaysAll { get; }

    /// <summary>Where and how the sessions run, as one sentence.</summary>
    public string Execution { get; }

    /// <summary>See <see cref="ExecutionProvider.RewritesGraphs"/>.</summary>
    public bool RewritesGraphs { get; }

    /// <summary>The type of rows and of the KV cache.</summary>
    public OrtElementType Rows { get; }

    /// <summary>The number format of the linear layers.</summary>
    public Precision Precision { get; }

    /// <summary>CLIP's text tower; null if the plan asks for none, or the checkpoint has none.</summary>
    public ClipTower? Clip { get; }

    /// <summary>CLIP's text tower, from ids to an embedding; null without <see cref="Clip"/>.</summary>
    public OrtSession? ClipText { get; }

    /// <summary>Features in the space of that embedding; null without <see cref="Clip"/>.</summary>
    public OrtSession? ClipPatches { get; }

    /// <summary>Learned rows that run behind the visual ones, [registers, hidden]; empty if the plan has none.</summary>
    public float[] Registers { get; }

    /// <summary>The separators of the vocabulary; null if the plan lets no text leave.</summary>
    public SeparatorTokens? Separators { get; }

    /// <summary>Pixels to features; with scores if the plan reduces by them. Null if it reduces inside the tower.</summary>
    public OrtSession? Vision { get; }

    /// <summary>The parts of a tower inside which the plan reduces; else null.</summary>
    public TowerSessions? Tower { get; }

    /// <summary>Gather or mix of features; null if the plan reduces nothing at the output of the tower.</summary>
    public OrtSession? ReduceFeatures { get; }

    /// <summary>Features to visual rows.</summary>
    public OrtSession Projector { get; }

    /// <summary>Final norm and head.</summary>
    public OrtSession Head { get; }

    /// <summary>Final norm and head for the row of a decode step, where the device replays its runs; else null, and it is <see cref="Head"/>.</summary>
    public OrtSession? DecodeHead { get; }

    /// <summary>Row gather.</summary>
    public OrtSession GatherRows { get; }

    /// <summary>Rows of a KV cache that stay when others leave; null if none leave, or if the host can move them itself.</summary>
    public OrtSession? KeepCached { get; }

    /// <summary>Rows of a prefix out of a KV cache; null if the host can copy them itself.</summary>
    public OrtSession? TakePrefix { get; }

    /// <summary>Rows of a prefix into a KV cache; null if the host can copy them itself.</summary>
    public OrtSession? PutPrefix { get; }

    /// <summary>Visual rows that take others in; null if the plan merges nothing in the decoder.</summary>
    public OrtSession? MergeRows { get; }

    /// <summary>Final norm of all rows; null if no step reads them so.</summary>
    public OrtSession? FinalNorm { get; }

    /// <summary>Mix of projected tokens; null if the plan merges none of them.</summary>
    public OrtSession? MergeProjected { get; }

    /// <summary>Rows split into visual and text.</summary>
    public OrtSession PartRows { get; }

    /// <summary>Visual and text rows joined.</summary>
    public OrtSession JoinRows { get; }

    /// <summary>The dense session of a layer.</summary>
    public OrtSession Dense(int layer) => _dense[layer];

    /// <summary>The session of a layer for one row: the dense one, unless the precision takes another format for it.</summary>
    public OrtSession Decode(int layer) => _decode[layer];

    /// <summary>The session of a layer for a row of each of several sequences of a device; built when it is first asked for.</summary>
    public OrtSession Together(int layer, int sequences) => _together(layer, sequences);

    /// <summary>The session of a layer that is scored, frozen or partial, or the first half of one that runs in halves; null for a dense layer.</summary>
    public OrtSession? Reduced(int layer) => _reduced[layer];

    /// <summary>The second half of a layer that runs in halves; null for another.</summary>
    public OrtSession? FeedForward(int layer) => _feedForward[layer];

    /// <summary>The first half of a layer whose second half decode steps may skip.</summary>
    public OrtSession DecodeAttention(int layer) => _decodeAttention[layer] ?? throw new InvalidOperationException($"The plan does not decode through layer {layer} in halves.");

    /// <summary>The second half of a layer that decode steps may skip.</summary>
    public OrtSession DecodeFeedForward(int layer) => _decodeFeedForward[layer] ?? throw new InvalidOperationException($"The plan does not decode through layer {layer} in halves.");

    /// <summary>See <see cref="ReductionPlan.Skips"/>.</summary>
    public FeedForwardSkips? Skips => _plan.Skips;

    /// <summary>The session that says what a layer would attend to; null if the plan does not ask.</summary>
    public OrtSession? Ahead(int layer) => _ahead[layer];

    /// <summary>The gate behind a layer.</summary>
    public OrtSession Gate(int layer) => _gates[layer] ?? throw new InvalidOperationException($"The plan asks no gate behind layer {layer}.");

    /// <summary>See <see cref="ReductionPlan.NumberingAt"/>.</summary>
    public int NumberingAt(int layer) => _plan.NumberingAt(layer);

    /// <summary>What visual rows still do in a layer that runs so; null for one of another kind.</summary>
    public PartialWork? PartialAt(int layer) => _plan.KindAt(layer).IsPartial() ? _plan.PartialAt(layer) : null;

    /// <summary>See <see cref="ReductionPlan.KindAt"/>.</summary>
    public LayerKind KindAt(int layer) => _plan.KindAt(layer);

    private string Describe(Device device, string? whyNotReplayed) =>
        $"{device.Provider.Name}, Precision.{Precision}" + (!RunsAhead ? "" : whyNotReplayed is null ? "; decode steps are replayed" : $"; decode steps run operator by operator, because {whyNotReplayed}") + ".";
}
