using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Espalier.Imaging;
using Espalier.Planning;
using Espalier.Text;

namespace Espalier.Calibration;

/// <summary>Measures how far policies move the distribution of the first answered token away from the dense model's, over samples.</summary>
/// <remarks>Deterministic: no chance is involved, and samples are taken in order. What a log holds is not measured again. Not thread-safe.</remarks>
internal sealed class DivergenceMeter : IDisposable
{
    private readonly string _folder;
    private readonly IReadOnlyList<CalibrationSample> _samples;
    private readonly CalibrationOptions _options;
    private readonly Checkpoint _checkpoint;
    private readonly MeasurementLog _log;
    private readonly (float[] Pixels, Prompt Prompt)[] _prompts;
    private readonly float[]?[] _dense;
    private int _done;
    private int _total;

    private DivergenceMeter(string folder, IReadOnlyList<CalibrationSample> samples, CalibrationOptions options, Checkpoint checkpoint, MeasurementLog log)
    {
        _folder = folder;
        _samples = samples;
        _options = options;
        _checkpoint = checkpoint;
        _log = log;
        _prompts = new (float[], Prompt)[samples.Count];
        _dense = new float[samples.Count][];
    }

    /// <summary>The model's shapes.</summary>
    public ModelGeometry Geometry => _checkpoint.Geometry;

    /// <summary>Samples that each candidate is asked.</summary>
    public int Samples => _samples.Count;

    /// <summary>Opens a checkpoint, and the log.</summary>
    /// <exception cref="CalibrationException">There is no sample, a picture does not exist, or the log is of something else.</exception>
    public static DivergenceMeter Open(string folder, IReadOnlyList<CalibrationSample> samples, CalibrationOptions? options)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(samples);
        options ??= new CalibrationOptions();
        if (samples.Count == 0)
        {
            throw new CalibrationException("A calibration needs at least one sample; ShortV takes 40, VTW 20.");
        }

        foreach (CalibrationSample sample in samples)
        {
            if (!File.Exists(sample.Image))
            {
                throw new CalibrationException($"{sample.Image}: there is no such picture, and the question '{sample.Question}' is about it.");
            }
        }

        Checkpoint checkpoint = Checkpoint.Open(folder);
        try
        {
            var log = MeasurementLog.Open(options.Log, Settings(folder, samples, options));
            return new DivergenceMeter(folder, samples, options, checkpoint, log);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Adds prefills to what progress is told as the total.</summary>
    public void Expect(int candidates) => _total += candidates * _samples.Count;

    /// <summary>The mean divergence of each candidate over the samples, in nats.</summary>
    /// <param name="candidates">What to measure; <see cref="Expect"/> was told of them.</param>
    /// <exception cref="PolicyRejectedException">A policy does not compile.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public double[] Measure(IReadOnlyList<MeasuredCandidate> candidates)
    {
        var means = new double[candidates.Count];
        using PolicyCompilation compiled = PolicyCompiler.Compile(_folder, [.. candidates.Select(static candidate => candidate.Policy)], _options.CancellationToken);
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
        _log.Dispose();
        _checkpoint.Dispose();
    }

    private double Measure(MeasuredCandidate candidate, CompiledPolicy policy)
    {
        double sum = 0;
        VisionLanguageModel? model = null;
        Sequence? sequence = null;
        try
        {
            for (int i = 0; i < _samples.Count; i++)
            {
                _options.CancellationToken.ThrowIfCancellationRequested();
                if (!_log.TryGet(candidate.Name, i, out double value))
                {
                    ReadOnlySpan<float> dense = Dense(i);
                    model ??= candidate.HeldTextLayer >= 0 ? new HeldTextModel(_checkpoint, policy.Plan!, _options.Model, candidate.HeldTextLayer) : policy.Load(_checkpoint, _options.Model);
                    sequence = Fitting(model, sequence, i);
                    sequence.Pass.HeldTextLayer = candidate.HeldTextLayer;
                    Run(model, sequence, i);
                    value = _options.Order == DivergenceOrder.ReducedFromDense ? Divergence.Of(sequence.Logits, dense) : Divergence.Of(dense, sequence.Logits);
                    _log.Add(candidate.Name, i, value);
                }

                sum += value;
                _options.Progress?.Report(new CalibrationProgress(++_done, Math.Max(_done, _total), candidate.Name));
            }
        }
        finally
        {
            sequence?.Dispose();
            model?.Dispose();
        }

        return sum / _samples.Count;
    }

    private ReadOnlySpan<float> Dense(int sample)
    {
        if (_dense[sample] is { } known)
        {
            return known;
        }

        // All at once: the dense model is loaded a single time.
        using PolicyCompilation compiled = PolicyCompiler.Compile(_folder, [""], _options.CancellationToken);
        using VisionLanguageModel model = compiled.Policies[0].Load(_checkpoint, _options.Model);
        Sequence? sequence = null;
        try
        {
            for (int i = 0; i < _samples.Count; i++)
            {
                Prepare(model, i);
                sequence = Fitting(model, sequence, i);
                Run(model, sequence, i);
                _dense[i] = sequence.Logits.ToArray();
            }
        }
        finally
        {
            sequence?.Dispose();
        }

        return _dense[sample];
    }

    private void Prepare(VisionLanguageModel model, int sample)
    {
        if (_prompts[sample].Pixels is null)
        {
            var pixels = new float[model.Preprocessor.OutputLength];
            model.Preprocessor.Process(ImageDecoder.Load(_samples[sample].Image).Rgb, pixels);
            _prompts[sample] = (pixels, model.Prompt.Build(model.Tokenizer, _samples[sample].Question, Geometry.ImageTokenId));
        }
    }

    private Sequence Fitting(VisionLanguageModel model, Sequence? sequence, int sample)
    {
        Prompt prompt = _prompts[sample].Prompt;
        int needed = prompt.Prefix.Length + Geometry.VisualTokens + prompt.Suffix.Length + 1;
        if (sequence is not null && sequence.Capacity >= needed)
        {
            return sequence;
        }

        sequence?.Dispose();
        if (needed > Geometry.Text.MaxPositions)
        {
            throw new CalibrationException($"The question '{_samples[sample].Question}' about {_samples[sample].Image} takes {needed} positions and the model has {Geometry.Text.MaxPositions}. Ask a shorter one.");
        }

        return model.CreateSequence(needed);
    }

    private void Run(VisionLanguageModel model, Sequence sequence, int sample)
    {
        (float[] pixels, Prompt prompt) = _prompts[sample];
        model.Prefill(sequence, prompt.Prefix, pixels, prompt.Suffix, _options.CancellationToken);
    }

    private static JsonObject Settings(string folder, IReadOnlyList<CalibrationSample> samples, CalibrationOptions options) => new()
    {
        ["model"] = PolicyText.ModelName(folder),
        ["samples"] = samples.Count,
        ["digest"] = Digest(folder, samples),
        ["order"] = options.Order.ToString(),
        ["precision"] = options.Model?.Precision?.ToString() ?? "declared",
        ["device"] = (options.Model?.Device ?? Device.Auto).Name,
    };

    // Of the questions, the bytes of the pictures and the shape of the model: what would make a value another.
    private static string Digest(string folder, IReadOnlyList<CalibrationSample> samples)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        foreach (FileInfo weights in new DirectoryInfo(folder).EnumerateFiles("*.safetensors").OrderBy(static file => file.Name, StringComparer.Ordinal))
        {
            digest.AppendData(System.Text.Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{weights.Name} {weights.Length}\n")));
        }

        foreach (CalibrationSample sample in samples)
        {
            digest.AppendData(System.Text.Encoding.UTF8.GetBytes(sample.Question + "\n"));
            digest.AppendData(SHA256.HashData(File.ReadAllBytes(sample.Image)));
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }
}
