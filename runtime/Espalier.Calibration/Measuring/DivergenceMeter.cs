using Espalier.Planning;

namespace Espalier.Calibration;

/// <summary>Measures how far policies move the distribution of the first answered token away from the dense model's, over samples.</summary>
/// <remarks>Deterministic: no chance is involved, and samples are taken in order. What a log holds is not measured again. Not thread-safe.</remarks>
internal sealed class DivergenceMeter : IDisposable
{
    private readonly CalibrationRun _run;
    private readonly bool _ownsRun;
    private readonly float[]?[] _dense;

    /// <summary>Measures in a run that is open, and stays so.</summary>
    public DivergenceMeter(CalibrationRun run)
        : this(run, ownsRun: false)
    {
    }

    private DivergenceMeter(CalibrationRun run, bool ownsRun)
    {
        _run = run;
        _ownsRun = ownsRun;
        _dense = new float[run.Samples][];
    }

    /// <summary>The model's shapes.</summary>
    public ModelGeometry Geometry => _run.Geometry;

    /// <summary>Opens a run of its own.</summary>
    /// <inheritdoc cref="CalibrationRun.Open"/>
    public static DivergenceMeter Open(string folder, IReadOnlyList<CalibrationSample> samples, CalibrationOptions? options) => new(CalibrationRun.Open(folder, samples, options), ownsRun: true);

    /// <inheritdoc cref="CalibrationRun.Expect"/>
    public void Expect(int candidates) => _run.Expect(candidates);

    /// <summary>The mean divergence of each candidate over the samples, in nats.</summary>
    /// <param name="candidates">What to measure; <see cref="Expect"/> was told of them.</param>
    /// <exception cref="PolicyRejectedException">A policy does not compile.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public double[] Measure(IReadOnlyList<MeasuredCandidate> candidates)
    {
        var means = new double[candidates.Count];
        using PolicyCompilation compiled = PolicyCompiler.Compile(_run.Folder, [.. candidates.Select(static candidate => candidate.Policy)], _run.Options.CancellationToken);
        foreach (CompiledPolicy policy in compiled.Policies)
        {
            if (!policy.IsValid)
            {
                throw new PolicyRejectedException(policy.Text, policy.Diagnostics);
            }
        }

        for (int i = 0; i < candidates.Count; i++)
        {
            means[i] = Measure(candidates[i], compiled.Policies[i]);
        }

        return means;
    }

    /// <summary>One candidate.</summary>
    public double Measure(MeasuredCandidate candidate) => Measure([candidate])[0];

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsRun)
        {
            _run.Dispose();
        }
    }

    private double Measure(MeasuredCandidate candidate, CompiledPolicy policy)
    {
        double sum = 0;
        VisionLanguageModel? model = null;
        Sequence? sequence = null;
        try
        {
            for (int i = 0; i < _run.Samples; i++)
            {
                _run.Options.CancellationToken.ThrowIfCancellationRequested();
                if (!_run.Log.TryGet(candidate.Name, i, out double value))
                {
                    ReadOnlySpan<float> dense = Dense(i);
                    model ??= candidate.HeldTextLayer >= 0 ? new HeldTextModel(_run.Checkpoint, policy.Plan!, _run.Options.Model, candidate.HeldTextLayer) : policy.Load(_run.Checkpoint, _run.Options.Model);
                    sequence = _run.Prefill(model, sequence, i, prepared => prepared.Pass.HeldTextLayer = candidate.HeldTextLayer);
                    value = _run.Options.Order == DivergenceOrder.ReducedFromDense ? Divergence.Of(sequence.Logits, dense) : Divergence.Of(dense, sequence.Logits);
                    _run.Keep(candidate.Name, i, value);
                }

                sum += value;
                _run.Report(candidate.Name);
            }
        }
        finally
        {
            sequence?.Dispose();
            model?.Dispose();
        }

        return sum / _run.Samples;
    }

    private ReadOnlySpan<float> Dense(int sample)
    {
        if (_dense[sample] is { } known)
        {
            return known;
        }

        // All at once: the dense model is loaded a single time.
        using PolicyCompilation compiled = PolicyCompiler.Compile(_run.Folder, [""], _run.Options.CancellationToken);
        using VisionLanguageModel model = compiled.Policies[0].Load(_run.Checkpoint, _run.Options.Model);
        Sequence? sequence = null;
        try
        {
            for (int i = 0; i < _run.Samples; i++)
            {
                sequence = _run.Prefill(model, sequence, i);
                _dense[i] = sequence.Logits.ToArray();
            }
        }
        finally
        {
            sequence?.Dispose();
        }

        return _dense[sample];
    }
}
