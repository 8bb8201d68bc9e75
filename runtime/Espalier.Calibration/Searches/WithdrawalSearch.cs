namespace Espalier.Calibration;

/// <summary>VTW's search for K (arXiv 2405.05803): the first layer from which on the answers do without visual tokens.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed class WithdrawalSearch
{
    /// <summary>The largest divergence that VTW's code accepts for LLaVA-1.5-7B, in nats; 0.0005 for 13B.</summary>
    public const double DefaultThreshold = 0.003;

    /// <summary>The first layer that VTW's code tries.</summary>
    public const int DefaultFirstLayer = 5;

    private WithdrawalSearch(string model, int samples, int first, double threshold, double[] divergences)
    {
        Model = model;
        Samples = samples;
        FirstLayer = first;
        Threshold = threshold;
        Divergences = divergences;
        int found = Array.FindIndex(divergences, value => value <= threshold);
        K = found < 0 ? null : first + found;
    }

    /// <summary>The model's name: its folder's.</summary>
    public string Model { get; }

    /// <summary>Samples that the means are over.</summary>
    public int Samples { get; }

    /// <summary>The first K that was tried.</summary>
    public int FirstLayer { get; }

    /// <summary>The largest divergence that is accepted, in nats.</summary>
    public double Threshold { get; }

    /// <summary>Mean divergence of withdrawal before each layer from <see cref="FirstLayer"/> on, in nats.</summary>
    public IReadOnlyList<double> Divergences { get; }

    /// <summary>The first K whose divergence is accepted; null if none is, where VTW's code fails and this says: stay dense.</summary>
    public int? K { get; }

    /// <summary>Tries every K.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="samples">What is asked; VTW takes 20.</param>
    /// <param name="threshold">η, the largest divergence that is accepted, in nats.</param>
    /// <param name="firstLayer">The first K to try, from 1 to the last layer.</param>
    /// <param name="options">Log, progress, cancellation; null is the default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is negative or no number, or the model has no such layer.</exception>
    /// <exception cref="CalibrationException">There is no sample, a picture does not exist, or the log is of something else.</exception>
    /// <exception cref="EspalierException">The checkpoint cannot be loaded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the log keeps what was measured.</exception>
    public static WithdrawalSearch Run(string folder, IReadOnlyList<CalibrationSample> samples, double threshold = DefaultThreshold, int firstLayer = DefaultFirstLayer, CalibrationOptions? options = null)
    {
        if (!(threshold >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "The threshold is a divergence of at least 0.");
        }

        using var meter = DivergenceMeter.Open(folder, samples, options);
        int layers = meter.Geometry.Text.Layers;
        if (firstLayer < 1 || firstLayer >= layers)
        {
            throw new ArgumentOutOfRangeException(nameof(firstLayer), firstLayer, $"The model has layers 0 to {layers - 1}, and visual tokens see at least the first.");
        }

        meter.Expect(layers - firstLayer);
        double[] divergences = meter.Measure([.. Enumerable.Range(firstLayer, layers - firstLayer).Select(static k => MeasuredCandidate.Of(PolicyText.Vtw(k)))]);
        return new WithdrawalSearch(PolicyText.ModelName(folder), samples.Count, firstLayer, threshold, divergences);
    }

    /// <summary>The attribute; empty, which is the dense model, if no K was accepted.</summary>
    public string ToPolicy() => K is { } k ? PolicyText.Vtw(k) : "";

    /// <summary>A declaration with that policy, ready to commit.</summary>
    /// <param name="className">The class.</param>
    public string ToDeclaration(string className) => PolicyText.Declaration(
        Model,
        className,
        ToPolicy(),
        K is { } k
            ? $"The first layer whose withdrawal moves the next token by at most {PolicyText.Number(Threshold)} nats over {PolicyText.Number(Samples)} samples: {PolicyText.Number(Divergences[k - FirstLayer])}."
            : $"No withdrawal moves the next token by at most {PolicyText.Number(Threshold)} nats over {PolicyText.Number(Samples)} samples.");
}
