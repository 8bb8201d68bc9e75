using Espalier.Graphs;
using Espalier.Graphs.Lowering;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Builds sessions over the weights of one checkpoint, on the host and on devices; all share the weights, and on the host their packed form.</summary>
/// <remarks>Not thread-safe: the <see cref="SessionCache"/> that owns it asks under its lock. Sessions go before it.</remarks>
internal sealed class SessionSource(Checkpoint checkpoint) : IDisposable
{
    // First: without ONNX Runtime nothing is made that would keep the checkpoint mapped.
    private readonly PrepackedWeights _packed = PrepackedWeights.Create();
    private readonly WeightStore _weights = new(checkpoint);
    private readonly Dictionary<LearnedFile, LearnedWeights> _learned = [];
    private readonly Dictionary<ExecutionProvider, DeviceWeights> _devices = [];
    private readonly Dictionary<ExecutionProvider, string> _whyNotReplayed = [];

    /// <summary>The weights on the host.</summary>
    public WeightStore Weights => _weights;

    /// <summary>The weights of a learned file on the host; they live as long as this.</summary>
    public LearnedWeights Learned(LearnedFile file)
    {
        if (!_learned.TryGetValue(file, out LearnedWeights? weights))
        {
            weights = new LearnedWeights(file);
            _learned.Add(file, weights);
        }

        return weights;
    }

    /// <summary>What a device said when it was to capture runs of a session and did not; null if it never did.</summary>
    public string? WhyNotReplayed(ExecutionProvider provider) => _whyNotReplayed.GetValueOrDefault(provider);

    /// <summary>Builds a session.</summary>
    /// <param name="provider">Where it runs.</param>
    /// <param name="graph">What it computes.</param>
    /// <param name="learned">Weights that go before the checkpoint's.</param>
    /// <param name="trace">The file that its trace begins with; null for none.</param>
    /// <param name="fewRows">True if it runs one row at a time.</param>
    /// <param name="replayed">True if the device is to capture its runs and replay them.</param>
    public OrtSession Create(ExecutionProvider provider, GraphModel graph, LearnedWeights? learned, string? trace, bool fewRows = false, bool replayed = false)
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

    private OrtSession CreateSession(ExecutionProvider provider, GraphModel graph, LearnedWeights? learned, string? trace, bool fewRows, bool capturesRuns)
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

    private OrtSession CreateOnDevice(ExecutionProvider provider, GraphModel graph, LearnedWeights? learned, string? trace, bool fewRows, bool capturesRuns)
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
                OrtValue? quantised = isLearned ? null : _weights.Quantised(stored);
                var placeholder = OrtValue.Allocate(use.Shape, use.Type);
                placeholders.Add(placeholder);
                options.AddExternalInitializer(use.Name, weights.Get(use, isLearned ? learned!.Path : null, read => isLearned && learned!.TryGet(read.RoundedFrom ?? read, out OrtValue? value) ? _weights.Rounded(read, learned.Path, value) : quantised ?? _weights.Read(read), disposes: !isLearned && quantised is null), placeholder);
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

    /// <summary>The memory of a device and the weights that lie there.</summary>
    /// <exception cref="ExecutionProviderNotAvailableException">The device cannot be used.</exception>
    public DeviceWeights DeviceWeightsOf(ExecutionProvider provider)
    {
        if (!_devices.TryGetValue(provider, out DeviceWeights? weights))
        {
            weights = new DeviceWeights(provider, MemoryProbe.Open(provider));
            _devices.Add(provider, weights);
        }

        return weights;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeviceWeights weights in _devices.Values)
        {
            weights.Dispose();
        }

        _devices.Clear();
        _packed.Dispose();
        foreach (LearnedWeights learned in _learned.Values)
        {
            learned.Dispose();
        }

        _learned.Clear();
        _weights.Dispose();
    }
}
