using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.Graphs.Lowering;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>Names one session of a model.</summary>
/// <param name="Provider">Where it runs.</param>
/// <param name="Part">What it computes.</param>
/// <param name="Format">The format of its linear layers; null for a part that has none.</param>
/// <param name="Layer">Decoder layer, or 0.</param>
/// <param name="Kind">How the layer treats its rows, for <see cref="ModelPart.DecoderLayer"/>.</param>
/// <param name="Scores">The tower layers whose CLS attention comes out, for <see cref="ModelPart.ScoredVision"/>.</param>
/// <param name="Width">The inner width, for <see cref="ModelPart.Gate"/>, else 0.</param>
/// <param name="Learned">The file of learned weights that replaces some of the part's; null if the checkpoint's alone are read.</param>
/// <param name="Section">The tower layers, for the parts of a tower.</param>
/// <param name="Partial">What visual rows still do in a layer of a partial kind; else null.</param>
/// <param name="Clip">The text tower, for the parts of CLIP.</param>
/// <param name="RunsOneRow">True for a layer that runs one row at a time, on a device where others need another graph.</param>
/// <param name="Sequences">The sequences whose caches are tensors apart, for <see cref="ModelPart.BatchLayer"/>, else 0.</param>
/// <param name="Replayed">True for a part of a decode step that the device is to capture and replay.</param>
/// <param name="Rows">The type of rows and of the KV cache; 16 bits for half precision.</param>
internal readonly record struct SessionKey(ExecutionProvider Provider, ModelPart Part, LinearFormat? Format = null, int Layer = 0, LayerKind Kind = LayerKind.Dense, TowerScores? Scores = null, int Width = 0, string? Learned = null, TowerSection? Section = null, PartialWork? Partial = null, bool RunsOneRow = false, ClipGeometry? Clip = null, int Sequences = 0, OrtElementType Rows = OrtElementType.Float, bool Replayed = false)
{
    /// <summary>What a trace of the session is called: the part and, of a decoder layer, its number and kind.</summary>
    public string TraceName => Part is ModelPart.DecoderLayer ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Part}-{Layer}-{Kind}") : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Part}-{Layer}");

    /// <summary>The format, for a part that has one.</summary>
    public LinearFormat RequiredFormat => Format ?? throw new ArgumentException($"{Part} has linear layers and needs their format.");
}

/// <summary>The parts of a model that are sessions of their own.</summary>
internal enum ModelPart
{
    /// <summary>Pixels to features.</summary>
    Vision,

    /// <summary>Pixels to features, with CLS attention and keys.</summary>
    ScoredVision,

    /// <summary>Pixels to the rows of the first tower layer.</summary>
    EmbedPatches,

    /// <summary>Whole tower layers.</summary>
    TowerLayers,

    /// <summary>One tower layer up to the residual behind its attention.</summary>
    TowerAttention,

    /// <summary>The rest of one tower layer.</summary>
    TowerFeedForward,

    /// <summary>Tower layers that run on fewer rows.</summary>
    MergedTowerLayers,

    /// <summary>What the CLS row pays to the others in one tower layer.</summary>
    TowerClsAttention,

    /// <summary>Rows of the tower that take in others.</summary>
    AbsorbFeatures,

    /// <summary>Features to visual rows.</summary>
    Projector,

    /// <summary>Gather of features.</summary>
    GatherFeatures,

    /// <summary>Features mixed by weights.</summary>
    MergeFeatures,

    /// <summary>Projected tokens mixed by weights.</summary>
    MergeProjected,

    /// <summary>One decoder layer.</summary>
    DecoderLayer,

    /// <summary>One decoder layer over a row of each of several sequences of a device.</summary>
    BatchLayer,

    /// <summary>The second half of one decoder layer.</summary>
    FeedForward,

    /// <summary>The first half of one decoder layer, for decode steps that may skip the second.</summary>
    DecodeAttention,

    /// <summary>The second half of one decoder layer, for decode steps that may skip it.</summary>
    DecodeFeedForward,

    /// <summary>What one decoder layer would attend to.</summary>
    LayerScore,

    /// <summary>The gate behind one decoder layer.</summary>
    Gate,

    /// <summary>CLIP's text tower.</summary>
    ClipText,

    /// <summary>Features in the space of CLIP's texts.</summary>
    ClipPatches,

    /// <summary>Final norm and head.</summary>
    Head,

    /// <summary>Final norm of all rows.</summary>
    FinalNorm,

    /// <summary>Row gather.</summary>
    GatherRows,

    /// <summary>Rows of a KV cache on a device that move to its beginning.</summary>
    KeepCached,

    /// <summary>Rows that take others in.</summary>
    MergeRows,

    /// <summary>Rows split into visual and text.</summary>
    PartRows,

    /// <summary>Visual and text rows joined.</summary>
    JoinRows,
}

/// <summary>The sessions of one checkpoint, built on first use and shared by every variant: a second variant adds only the kinds that it alone needs, and those share the packed weights.</summary>
/// <remarks>Thread-safe. Counted: the sessions live until the <see cref="Checkpoint"/> and every model on it have released them.</remarks>
internal sealed class SessionCache(Checkpoint checkpoint)
{
    private readonly Lock _lock = new();
    private readonly Lock _preparing = new();
    // First: without ONNX Runtime nothing is made that would keep the checkpoint mapped.
    private readonly PrepackedWeights _packed = PrepackedWeights.Create();
    private readonly WeightStore _weights = new(checkpoint);
    private readonly Dictionary<SessionKey, OrtSession> _sessions = [];
    private readonly Dictionary<ExecutionProvider, DeviceWeights> _devices = [];
    private readonly HashSet<string> _quantised = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LearnedFile> _learned = new(StringComparer.Ordinal);
    private readonly Dictionary<ExecutionProvider, string> _whyNotReplayed = [];
    private int _references = 1;

    /// <summary>Opens the quantised weights that formats need, and makes them where there are none. Sessions can be asked for meanwhile.</summary>
    /// <param name="formats">The formats.</param>
    /// <param name="options">Where the files are kept, and who is told.</param>
    /// <param name="registers">Learned layers that are quantised too.</param>
    /// <param name="gates">Learned gates that are quantised too.</param>
    public void Prepare(PrecisionFormats formats, ModelOptions options, VictorWeights? registers = null, DyVteWeights? gates = null)
    {
        lock (_preparing)
        {
            var layouts = new List<QuantisedLayout>();
            foreach (QuantisedFormat format in new[] { formats.Decoder, formats.Decode }.OfType<QuantisedFormat>().Distinct())
            {
                Need(QuantisedLayout.Of(checkpoint, LinearGroup.Decoder, format));
                Need(registers?.Layout(format));
            }

            if (formats.Decode is QuantisedFormat decode)
            {
                Need(gates?.Layout(checkpoint, decode));
            }

            if (formats.Vision is QuantisedFormat vision)
            {
                Need(QuantisedLayout.Of(checkpoint, LinearGroup.Vision, vision));
            }

            if (layouts.Count == 0)
            {
                return;
            }

            IReadOnlyList<QuantisedWeights> opened = WeightCache.Open(layouts, options);
            lock (_lock)
            {
                for (int i = 0; i < opened.Count; i++)
                {
                    if (layouts[i].Source is LearnedFile file)
                    {
                        file.Add(opened[i]);
                    }
                    else
                    {
                        _weights.Add(opened[i]);
                    }
                }
            }

            layouts.ForEach(layout => _quantised.Add(layout.FileName));

            void Need(QuantisedLayout? layout)
            {
                if (layout is not null && !_quantised.Contains(layout.FileName))
                {
                    layouts.Add(layout);
                }
            }
        }
    }

    /// <summary>The learned weights that a plan needs besides the checkpoint's; null if it summarises nothing.</summary>
    /// <exception cref="CheckpointException">There are none, or they do not fit.</exception>
    public VictorWeights? FindRegisters(ReductionPlan plan)
    {
        if (plan.Registers == 0)
        {
            return null;
        }

        lock (_lock)
        {
            return VictorWeights.Find(checkpoint, plan.Steps[^1], OpenLearned);
        }
    }

    /// <summary>The gates that a plan asks; null if it asks none.</summary>
    /// <exception cref="CheckpointException">There are none, or they do not fit.</exception>
    public DyVteWeights? FindGates(ReductionPlan plan)
    {
        if (plan.Gates is null)
        {
            return null;
        }

        lock (_lock)
        {
            return DyVteWeights.Find(checkpoint, plan.Gates, OpenLearned);
        }
    }

    /// <summary>The static matrices of tower layers that run on fewer rows; null if none does.</summary>
    /// <exception cref="CheckpointException">There are none, or they do not fit.</exception>
    public LearnedFile? FindMatrices(ReductionPlan plan)
    {
        if (plan.MergedTower is null)
        {
            return null;
        }

        lock (_lock)
        {
            return PruneAndMergeWeights.Find(checkpoint, plan.MergedTower, OpenLearned);
        }
    }

    /// <summary>CLIP's text tower, if a step of the plan asks how relevant patches are to the question and the checkpoint has it; else null.</summary>
    /// <exception cref="CheckpointException">It is incomplete or does not fit.</exception>
    /// <exception cref="Text.TokenizerException">Its tokenizer cannot be read.</exception>
    public ClipTower? FindClip(ReductionPlan plan)
    {
        if (plan.StepAt(Site.Projected)?.Kernel?.Reads(KernelInputs.TextRelevance) != true)
        {
            return null;
        }

        lock (_lock)
        {
            return ClipTower.Find(checkpoint, OpenLearned);
        }
    }

    /// <summary>The separators of the checkpoint's vocabulary, if a plan lets the text between them leave; else null.</summary>
    /// <exception cref="Text.TokenizerException">There are none.</exception>
    public SeparatorTokens? FindSeparators(ReductionPlan plan) =>
        plan.Eviction is { } eviction ? SeparatorTokens.Of(checkpoint.Tokenizer, eviction.Declaration) : null;

    /// <summary>The session of a part, built if it does not exist.</summary>
    /// <param name="key">The part.</param>
    /// <param name="learned">Weights that go before the checkpoint's; a part that reads none of them is shared with those who have no such file.</param>
    /// <param name="traces">A folder for the session's trace if it is built now; null for none.</param>
    public OrtSession Get(SessionKey key, LearnedFile? learned = null, string? traces = null)
    {
        lock (_lock)
        {
            GraphModel? graph = null;
            if (learned is not null)
            {
                graph = BuildGraph(key);
                key = learned.IsReadBy(graph) ? key with { Learned = learned.Path } : key;
            }

            if (!_sessions.TryGetValue(key, out OrtSession? session))
            {
                session = Create(key.Provider, InPrecision(key, graph ?? BuildGraph(key)), key.Learned is null ? null : learned, traces is null ? null : Path.Combine(traces, key.TraceName), key.RunsOneRow, key.Replayed);
                _sessions.Add(key, session);
            }

            return session;
        }
    }

    /// <summary>Builds a session of any graph of this checkpoint over the shared weights and their packed form. It is the caller's; <see cref="Get"/> does not know it.</summary>
    public OrtSession Build(ExecutionProvider provider, GraphModel graph)
    {
        lock (_lock)
        {
            return Create(provider, graph, learned: null, trace: null);
        }
    }

    /// <summary>True if one graph of a layer serves one row and many.</summary>
    /// <exception cref="ExecutionProviderNotAvailableException">The device cannot be used.</exception>
    public bool SharesDecodeGraph(ExecutionProvider provider)
    {
        lock (_lock)
        {
            return provider.UsesHostMemory || DeviceWeightsOf(provider).AttentionIsExact;
        }
    }

    /// <summary>What a device said when it was to capture runs of a session and did not; null if it never did.</summary>
    public string? WhyNotReplayed(ExecutionProvider provider)
    {
        lock (_lock)
        {
            return _whyNotReplayed.GetValueOrDefault(provider);
        }
    }

    /// <summary>The memory of a device, for what sequences keep there; it lives as long as the cache, and its buffers keep it alive.</summary>
    /// <exception cref="ExecutionProviderNotAvailableException">The device cannot be used.</exception>
    public DeviceMemory Memory(ExecutionProvider provider)
    {
        if (provider.UsesHostMemory)
        {
            return DeviceMemory.Host;
        }

        lock (_lock)
        {
            return DeviceWeightsOf(provider).Memory;
        }
    }

    /// <summary>The tensor of a weight, which lives as long as the cache.</summary>
    public OrtValue Weight(WeightUse use)
    {
        lock (_lock)
        {
            return _weights.Get(use);
        }
    }

    /// <summary>Counts one more user.</summary>
    public void AddReference() => Interlocked.Increment(ref _references);

    /// <summary>Counts one user less; the last one takes the sessions with it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) != 0)
        {
            return;
        }

        lock (_lock)
        {
            foreach (OrtSession session in _sessions.Values)
            {
                session.Dispose();
            }

            _sessions.Clear();
            foreach (DeviceWeights weights in _devices.Values)
            {
                weights.Dispose();
            }

            _devices.Clear();
            _packed.Dispose();
            _weights.Dispose();
            foreach (LearnedFile file in _learned.Values)
            {
                file.Dispose();
            }

            _learned.Clear();
        }
    }

    /// <summary>The graph of a part, as its session is built from.</summary>
    public GraphModel BuildGraph(SessionKey key)
    {
        ModelGeometry geometry = checkpoint.Geometry;
        return key.Part switch
        {
            ModelPart.Vision => VisionGraph.Build(geometry.Vision, key.RequiredFormat),
            ModelPart.ScoredVision => ScoredVisionGraph.Build(geometry.Vision, key.Scores!, key.RequiredFormat),
            ModelPart.EmbedPatches => TowerSectionGraph.Embed(geometry.Vision, key.RequiredFormat),
            ModelPart.TowerLayers => TowerSectionGraph.Layers(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.TowerAttention => TowerSectionGraph.Attention(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.TowerFeedForward => TowerSectionGraph.FeedForward(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.MergedTowerLayers => TowerSectionGraph.MergedLayers(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.TowerClsAttention => TowerSectionGraph.ClsAttention(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.AbsorbFeatures => RowGraphs.Absorb(geometry.Vision.Hidden),
            ModelPart.GatherFeatures => RowGraphs.Gather(geometry.Vision.Hidden),
            ModelPart.MergeFeatures => RowGraphs.Merge(geometry.Vision.Hidden),
            ModelPart.Projector => ProjectorGraph.Build(geometry, key.RequiredFormat),
            ModelPart.MergeProjected => RowGraphs.Merge(geometry.Text.Hidden),
            ModelPart.DecoderLayer => DecoderLayerGraph.Build(geometry.Text, key.Layer, key.Kind, key.RequiredFormat, key.Partial),
            ModelPart.BatchLayer => BatchLayerGraph.Build(geometry.Text, key.Layer, key.RequiredFormat, key.Sequences),
            ModelPart.FeedForward => DecoderLayerGraph.BuildFeedForward(geometry.Text, key.Layer, key.RequiredFormat),
            ModelPart.DecodeAttention => DecodeHalfGraphs.Attention(geometry.Text, key.Layer, key.RequiredFormat),
            ModelPart.DecodeFeedForward => DecodeHalfGraphs.FeedForward(geometry.Text, key.Layer, key.RequiredFormat),
            ModelPart.LayerScore => LayerScoreGraph.Build(geometry.Text, key.Layer, key.RequiredFormat),
            ModelPart.ClipText => ClipTextGraph.Text(key.Clip!),
            ModelPart.ClipPatches => ClipTextGraph.Patches(key.Clip!),
            ModelPart.Gate => GateGraph.Build(geometry.Text, key.Layer, key.Width, key.RequiredFormat),
            ModelPart.Head => HeadGraph.Build(geometry.Text, checkpoint.HeadTensorName, key.RequiredFormat),
            ModelPart.FinalNorm => RowGraphs.FinalNorm(geometry.Text),
            ModelPart.GatherRows => RowGraphs.Gather(geometry.Text.Hidden),
            ModelPart.KeepCached => RowGraphs.KeepCached(geometry.Text),
            ModelPart.MergeRows => RowGraphs.Absorb(geometry.Text.Hidden),
            ModelPart.PartRows => RowGraphs.Part(geometry.Text),
            ModelPart.JoinRows => RowGraphs.Join(geometry.Text),
            _ => throw new ArgumentOutOfRangeException(nameof(key), key, null),
        };
    }

    /// <summary>The graph in the precision of the key's rows.</summary>
    public static GraphModel InPrecision(SessionKey key, GraphModel graph) =>
        key.Rows == OrtElementType.Float ? graph : HalfLowering.Lower(graph, key.Rows, hasLinearLayers: key.Format is not null && key.Part != ModelPart.Gate);

    private LearnedFile OpenLearned(string path)
    {
        if (!_learned.TryGetValue(path, out LearnedFile? file))
        {
            file = LearnedFile.Open(path);
            _learned.Add(path, file);
        }

        return file;
    }

    private OrtSession Create(ExecutionProvider provider, GraphModel graph, LearnedFile? learned, string? trace, bool fewRows = false, bool replayed = false)
    {
        if (replayed)
        {
            try
            {
                return CreateSession(provider, graph, learned, trace, fewRows, capturesRuns: true);
            }
            catch (OrtException failure)
            {
                // Captured or not, the same is computed. What else is wrong shows again below.
                _whyNotReplayed[provider] = failure.NativeMessage.Trim().TrimEnd('.');
            }
        }

        return CreateSession(provider, graph, learned, trace, fewRows, capturesRuns: false);
    }

    private OrtSession CreateSession(ExecutionProvider provider, GraphModel graph, LearnedFile? learned, string? trace, bool fewRows, bool capturesRuns)
    {
        if (!provider.UsesHostMemory)
        {
            return CreateOnDevice(provider, graph, learned, trace, fewRows, capturesRuns);
        }

        using OrtSessionOptions options = OrtSessionOptions.Create(provider, capturesRuns);
        if (trace is not null)
        {
            options.EnableTrace(trace);
        }

        foreach (WeightUse use in graph.Weights)
        {
            options.AddExternalInitializer(use.Name, learned is not null && learned.TryGet(use.RoundedFrom ?? use, out OrtValue? value) ? _weights.Rounded(use, learned.Path, value) : _weights.Get(use));
        }

        // In 16 bits some kernels pack weights of their own, of which ONNX Runtime cannot share any.
        bool isHalf = graph.Weights.Any(static use => use.RoundedFrom is not null);
        return OrtSession.Create(graph.Bytes, options, isHalf ? null : _packed);
    }

    private OrtSession CreateOnDevice(ExecutionProvider provider, GraphModel graph, LearnedFile? learned, string? trace, bool fewRows, bool capturesRuns)
    {
        DeviceWeights weights = DeviceWeightsOf(provider);
        GraphModel lowered = provider.RewritesGraphs ? WebGpuLowering.Lower(graph, weights.AttentionIsExact || fewRows) : graph;
        using OrtSessionOptions options = OrtSessionOptions.Create(provider, capturesRuns);
        if (trace is not null)
        {
            options.EnableTrace(trace);
        }

        var placeholders = new List<OrtValue>();
        try
        {
            foreach (WeightUse use in lowered.Weights)
            {
                WeightUse stored = use.TransposeOf ?? use;
                bool isLearned = learned is not null && learned.TryGet(stored.RoundedFrom ?? stored, out _);
                var placeholder = OrtValue.Allocate(use.Shape, use.Type);
                placeholders.Add(placeholder);
                options.AddExternalInitializer(use.Name, weights.Get(use, isLearned ? learned!.Path : null, read => isLearned && learned!.TryGet(read.RoundedFrom ?? read, out OrtValue? value) ? _weights.Rounded(read, learned.Path, value) : _weights.Read(read), disposes: !isLearned), placeholder);
            }

            OrtSession session = CreateOn(provider, lowered, options);
            if (DeviceOperators.Missing(session, provider) is { Count: > 0 } missing)
            {
                session.Dispose();
                throw new DeviceOperatorException(provider.Name, graph.Parts.Name, missing);
            }

            if (weights.Memory.IsApart && DeviceInputs.Misplaced(session, lowered, provider) is { Count: > 0 } misplaced)
            {
                session.Dispose();
                throw new DeviceInputException(provider.Name, graph.Parts.Name, misplaced);
            }

            return session;
        }
        finally
        {
            placeholders.ForEach(static value => value.Dispose());
        }
    }

    private static OrtSession CreateOn(ExecutionProvider provider, GraphModel graph, OrtSessionOptions options)
    {
        try
        {
            return OrtSession.Create(graph.Bytes, options);
        }
        catch (OrtException failure) when (provider.Explain(failure) is { } explained)
        {
            throw explained;
        }
    }

    private DeviceWeights DeviceWeightsOf(ExecutionProvider provider)
    {
        if (!_devices.TryGetValue(provider, out DeviceWeights? weights))
        {
            weights = new DeviceWeights(provider, DeviceMemory.Open(provider));
            _devices.Add(provider, weights);
        }

        return weights;
    }
}
