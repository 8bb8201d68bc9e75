using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The sessions of one checkpoint, built on first use and shared by every variant: a second variant adds only the kinds that it alone needs, and those share the packed weights.</summary>
/// <remarks>Thread-safe. Counted: the sessions live until the <see cref="Checkpoint"/> and every model on it have released them.</remarks>
internal sealed class SessionCache(Checkpoint checkpoint)
{
    private readonly Lock _lock = new();
    private readonly Lock _preparing = new();
    private readonly SessionSource _source = new(checkpoint);
    private readonly Dictionary<SessionKey, OrtSession> _sessions = [];
    private readonly HashSet<string> _quantised = new(StringComparer.Ordinal);
    private int _references = 1;

    /// <summary>The learned weights that plans need besides the checkpoint's; they live as long as the cache.</summary>
    public LearnedFiles Learned { get; } = new(checkpoint);

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
                if (registers is { File: { } file, Linear: { Count: > 0 } linear })
                {
                    Need(QuantisedLayout.Of(file, Path.GetFileNameWithoutExtension(file.Path), linear, format));
                }
            }

            if (formats.Decode is QuantisedFormat decode && gates is not null)
            {
                Need(QuantisedLayout.Of((IWeightSource?)gates.File ?? checkpoint, Path.GetFileNameWithoutExtension(DyVteWeights.FileName), gates.Linear(checkpoint), decode));
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
                    if (layouts[i].Source is LearnedFile learned)
                    {
                        _source.Learned(learned).Add(opened[i]);
                    }
                    else
                    {
                        _source.Weights.Add(opened[i]);
                    }
                }
            }

            layouts.ForEach(layout => _quantised.Add(layout.FileName));

            void Need(QuantisedLayout layout)
            {
                if (!_quantised.Contains(layout.FileName))
                {
                    layouts.Add(layout);
                }
            }
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
            LearnedWeights? read = null;
            if (learned is not null)
            {
                graph = PartGraphs.Build(checkpoint, key);
                read = _source.Learned(learned);
                (key, read) = read.IsReadBy(graph) ? (key with { Learned = learned.Path }, read) : (key, null);
            }

            if (!_sessions.TryGetValue(key, out OrtSession? session))
            {
                session = _source.Create(key.Provider, PartGraphs.InPrecision(key, graph ?? PartGraphs.Build(checkpoint, key)), read, traces is null ? null : Path.Combine(traces, key.TraceName), key.RunsOneRow, key.Replayed);
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
            return _source.Create(provider, graph, learned: null, trace: null);
        }
    }

    /// <summary>True if one graph of a layer serves one row and many.</summary>
    /// <exception cref="ExecutionProviderNotAvailableException">The device cannot be used.</exception>
    public bool SharesDecodeGraph(ExecutionProvider provider)
    {
        lock (_lock)
        {
            return provider.UsesHostMemory || _source.DeviceWeightsOf(provider).AttentionIsExact;
        }
    }

    /// <summary>True if a device multiplies the integers of a format rightly; asked once.</summary>
    /// <exception cref="ExecutionProviderNotAvailableException">The device cannot be used.</exception>
    /// <exception cref="OrtException">It has no such kernel.</exception>
    public bool IsExact(ExecutionProvider provider, QuantisedFormat format)
    {
        if (provider.UsesHostMemory)
        {
            return FormatProbe.IsExact(format);
        }

        lock (_lock)
        {
            return format is Int4Blocks blocks && _source.DeviceWeightsOf(provider).IsExact(blocks);
        }
    }

    /// <summary>What a device said when it was to capture runs of a session and did not; null if it never did.</summary>
    public string? WhyNotReplayed(ExecutionProvider provider)
    {
        lock (_lock)
        {
            return _source.WhyNotReplayed(provider);
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
            return _source.DeviceWeightsOf(provider).Memory;
        }
    }

    /// <summary>The tensor of a weight, which lives as long as the cache.</summary>
    public OrtValue Weight(WeightUse use)
    {
        lock (_lock)
        {
            return _source.Weights.Get(use);
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
            _source.Dispose();
            Learned.Dispose();
        }
    }
}
