using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Espalier.Evaluation;
using Espalier.Imaging;
using Espalier.Planning;
using Espalier.Text;
using Espalier.Vision;

namespace Espalier.Calibration;

/// <summary>A checkpoint, the samples that it is asked, and the log of what was measured on them.</summary>
/// <remarks>Samples are taken in order; their pictures are decoded once. Not thread-safe.</remarks>
internal sealed class CalibrationRun : IDisposable
{
    private readonly IReadOnlyList<CalibrationSample> _samples;
    private readonly (float[] Pixels, Prompt Prompt)[] _prompts;
    private int _done;
    private int _total;

    private CalibrationRun(string folder, IReadOnlyList<CalibrationSample> samples, CalibrationOptions options, Checkpoint checkpoint, MeasurementLog log)
    {
        Folder = folder;
        _samples = samples;
        Options = options;
        Checkpoint = checkpoint;
        Log = log;
        _prompts = new (float[], Prompt)[samples.Count];
    }

    /// <summary>The checkpoint's folder.</summary>
    public string Folder { get; }

    /// <summary>How the calibration is run.</summary>
    public CalibrationOptions Options { get; }

    /// <summary>The checkpoint.</summary>
    public Checkpoint Checkpoint { get; }

    /// <summary>What was measured.</summary>
    public MeasurementLog Log { get; }

    /// <summary>The model's shapes.</summary>
    public ModelGeometry Geometry => Checkpoint.Geometry;

    /// <summary>Samples.</summary>
    public int Samples => _samples.Count;

    /// <summary>Opens a checkpoint, and the log.</summary>
    /// <exception cref="CalibrationException">There is no sample, a picture does not exist, or the log is of something else.</exception>
    public static CalibrationRun Open(string folder, IReadOnlyList<CalibrationSample> samples, CalibrationOptions? options)
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
            return new CalibrationRun(folder, samples, options, checkpoint, log);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Adds prefills, so many a sample, to what progress is told as the total; takes them away if negative.</summary>
    public void Expect(int candidates) => _total += candidates * _samples.Count;

    /// <summary>Tells that a prefill is done, or was found in the log.</summary>
    public void Report(string doing) => Options.Progress?.Report(new CalibrationProgress(++_done, Math.Max(_done, _total), doing));

    /// <summary>Keeps a value that was measured.</summary>
    /// <exception cref="CalibrationException">It is no number, which no comparison could rank.</exception>
    public void Keep(string doing, int sample, double value)
    {
        if (!double.IsFinite(value))
        {
            throw new CalibrationException(
                $"{(doing.Length > 0 ? doing : "the dense model")}: the question '{_samples[sample].Question}' about {_samples[sample].Image} gives no finite numbers. Look at the model's weights, or leave the question out.");
        }

        Log.Add(doing, sample, value);
    }

    /// <summary>Runs the prompt of a sample.</summary>
    /// <param name="model">A model of the checkpoint.</param>
    /// <param name="sequence">A sequence of it, disposed if it is too short; null for none.</param>
    /// <param name="sample">The sample.</param>
    /// <param name="prepare">Called before the prefill; null for nothing.</param>
    /// <returns>The sequence that holds the result, for the next sample and for the caller to dispose.</returns>
    /// <exception cref="CalibrationException">The prompt is longer than the model allows, or the picture is none.</exception>
    public Sequence Prefill(VisionLanguageModel model, Sequence? sequence, int sample, Action<Sequence>? prepare = null)
    {
        if (_prompts[sample].Pixels is null)
        {
            var decoded = new float[model.Preprocessor.OutputLength];
            model.Preprocessor.Process(Decode(_samples[sample]), decoded);
            _prompts[sample] = (decoded, model.Prompt.Build(model.Tokenizer, _samples[sample].Question, Geometry.ImageTokenId));
        }

        sequence = Fitting(model, sequence, sample);
        prepare?.Invoke(sequence);
        (float[] pixels, Prompt prompt) = _prompts[sample];
        model.Prefill(sequence, prompt.Prefix, pixels, prompt.Suffix, Options.CancellationToken);
        return sequence;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Log.Dispose();
        Checkpoint.Dispose();
    }

    private static RgbImage Decode(CalibrationSample sample)
    {
        try
        {
            return ImageDecoder.Load(sample.Image).Rgb;
        }
        catch (ImageException exception)
        {
            throw new CalibrationException($"The question '{sample.Question}': {exception.Message}");
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

    private static JsonObject Settings(string folder, IReadOnlyList<CalibrationSample> samples, CalibrationOptions options) => new()
    {
        ["model"] = FileDigests.OfModel(folder),
        ["samples"] = samples.Count,
        ["questions and pictures"] = Digest(samples),
        ["order"] = options.Order.ToString(),
        ["precision"] = options.Model?.Precision?.ToString() ?? "declared",
        ["device"] = (options.Model?.Device ?? Device.Auto).Name,
    };

    private static string Digest(IReadOnlyList<CalibrationSample> samples)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (CalibrationSample sample in samples)
        {
            digest.AppendData(System.Text.Encoding.UTF8.GetBytes(sample.Question + "\n"));
            digest.AppendData(SHA256.HashData(File.ReadAllBytes(sample.Image)));
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }
}
