namespace Espalier.Calibration;

/// <summary>YOPO's choice of heads (arXiv 2410.06169): the query heads that hardly look at the image, which visual tokens can do without.</summary>
/// <remarks>
/// As in the published code, a head keeps its visual attention if its attention to visual tokens, over that to the text before and behind the image, is above a threshold in more than 40 of 100 samples, and the first
/// two layers keep all heads. A named choice, because it is not said: the attention is that of all text rows behind the image, added up. The last layer is left out: what visual tokens do there, nobody reads. The
/// method's share of neurons and its window follow from no measurement, and its layer cut is an exit, which <see cref="WithdrawalSearch"/> finds. Immutable, thread-safe.
/// </remarks>
public sealed class HeadSearch
{
    /// <summary>The lowest of the thresholds that the authors name for LLaVA-1.5-13B: 0.035, 0.077 and 0.2.</summary>
    public const double DefaultThreshold = 0.035;

    /// <summary>The first layer that may do without heads.</summary>
    public const int FirstLayer = 2;

    private HeadSearch(string model, int samples, double threshold, double[][][] ratios, IReadOnlyList<IReadOnlyList<int>> dropped, double? divergence)
    {
        Model = model;
        Samples = samples;
        Threshold = threshold;
        Ratios = ratios;
        Dropped = dropped;
        Divergence = divergence;
    }

    /// <summary>The model's name: its folder's.</summary>
    public string Model { get; }

    /// <summary>Samples that were asked.</summary>
    public int Samples { get; }

    /// <summary>θ: a head whose ratio is above it looks at the image.</summary>
    public double Threshold { get; }

    /// <summary>The ratio of each layer but the last, each query head and each sample.</summary>
    public IReadOnlyList<IReadOnlyList<IReadOnlyList<double>>> Ratios { get; }

    /// <summary>The query heads that visual tokens do without, by layer, ascending.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Dropped { get; }

    /// <summary>How far the next token moves without these heads, in nats, mean over the samples; null if none is dropped.</summary>
    public double? Divergence { get; }

    /// <summary>Measures all heads, one prefill a sample, and what comes of doing without those that are found, one prefill more.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="samples">What is asked; YOPO takes 100.</param>
    /// <param name="threshold">θ. The authors' are of their model: look at the report, and choose yours.</param>
    /// <param name="options">Log, progress, cancellation; null is the default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is negative or no number.</exception>
    /// <exception cref="CalibrationException">There is no sample, a picture does not exist, the log is of something else, or the precision is one that cannot leave out heads.</exception>
    /// <exception cref="EspalierException">The checkpoint cannot be loaded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the log keeps what was measured.</exception>
    public static HeadSearch Run(string folder, IReadOnlyList<CalibrationSample> samples, double threshold = DefaultThreshold, CalibrationOptions? options = null)
    {
        if (!(threshold >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "The threshold is a ratio of at least 0.");
        }

        if (options?.Model?.Precision is { } precision && precision != Precision.Float32)
        {
            throw new CalibrationException($"Heads are measured in single precision on the CPU, and not in Precision.{precision}. Calibrate in Precision.Float32; integer weights are multiplied whole, so the class does not run in those.");
        }

        using var run = CalibrationRun.Open(folder, samples, options);
        run.Expect(2);
        double[][][] ratios = new AttentionMeter(run).Measure();
        int[][] dropped = [.. ratios.Select((heads, layer) => layer < FirstLayer ? [] : Without(heads, threshold))];
        double? divergence = null;
        if (Policy(dropped) is { Length: > 0 } policy)
        {
            using var meter = new DivergenceMeter(run);
            divergence = meter.Measure(MeasuredCandidate.Of(policy));
        }

        return new HeadSearch(PolicyText.ModelName(folder), samples.Count, threshold, ratios, dropped, divergence);
    }

    /// <summary>The attributes, one a layer that loses heads; empty, which is the dense model, if none does.</summary>
    public string ToPolicy() => Policy(Dropped);

    /// <summary>A declaration with these attributes, ready to commit.</summary>
    /// <param name="className">The class.</param>
    public string ToDeclaration(string className) => PolicyText.Declaration(
        Model,
        className,
        ToPolicy(),
        Divergence is { } divergence
            ? $"Heads whose attention to visual tokens is above {PolicyText.Number(Threshold)} of that to text in no more than two fifths of {PolicyText.Number(Samples)} samples. Without them the next token moves by {PolicyText.Number(divergence)} nats."
            : $"Every head's attention to visual tokens is above {PolicyText.Number(Threshold)} of that to text in more than two fifths of {PolicyText.Number(Samples)} samples.");

    /// <summary>The heads that are not above a threshold in more than two fifths of the samples.</summary>
    internal static int[] Without(IReadOnlyList<IReadOnlyList<double>> heads, double threshold) =>
        [.. Enumerable.Range(0, heads.Count).Where(head => 5 * heads[head].Count(ratio => ratio > threshold) <= 2 * heads[head].Count)];

    private static string Policy(IReadOnlyList<IReadOnlyList<int>> dropped) => string.Join(' ', dropped
        .Select(static (heads, layer) => (Heads: heads, Layer: layer))
        .Where(static one => one.Heads.Count > 0)
        .Select(static one => PolicyText.Heads(one.Layer, one.Heads)));
}
