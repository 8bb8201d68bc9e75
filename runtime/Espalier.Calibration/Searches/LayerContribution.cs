namespace Espalier.Calibration;

/// <summary>What is done in layers that contribute little to visual tokens; each is the name of its attribute.</summary>
public enum LayerMethod
{
    /// <summary>Visual tokens are frozen (arXiv 2504.00502).</summary>
    ShortV,

    /// <summary>Visual tokens do less (arXiv 2501.19036). The paper ranks layers by a greedy search of its own, which is not published in full; this ranking is ShortV's.</summary>
    RedundancyLens,
}

/// <summary>Layer contribution (ShortV, arXiv 2504.00502, section 2): how far the distribution of the next token moves when visual, or text, tokens pass a layer unchanged.</summary>
/// <remarks>Low is little contribution. Visual tokens of the last layer contribute nothing at all, since nobody reads them. Immutable, thread-safe.</remarks>
public sealed class LayerContribution
{
    private LayerContribution(string model, int samples, double[] visual, double[] text)
    {
        Model = model;
        Samples = samples;
        Visual = visual;
        Text = text;
        Ranking = [.. Enumerable.Range(0, visual.Length).OrderBy(layer => visual[layer]).ThenBy(static layer => layer)];
    }

    /// <summary>The model's name: its folder's.</summary>
    public string Model { get; }

    /// <summary>Samples that the means are over.</summary>
    public int Samples { get; }

    /// <summary>Contribution to visual tokens by layer, in nats.</summary>
    public IReadOnlyList<double> Visual { get; }

    /// <summary>Contribution to text tokens by layer, in nats; empty if it was not measured.</summary>
    public IReadOnlyList<double> Text { get; }

    /// <summary>The layers, the one that contributes least to visual tokens first; of equals the lower one.</summary>
    public IReadOnlyList<int> Ranking { get; }

    /// <summary>Measures every layer: one prefill a sample and layer, and again for text.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="samples">What is asked; ShortV takes 40.</param>
    /// <param name="options">Log, progress, cancellation; null is the default.</param>
    /// <param name="text">False leaves text tokens out, which ShortV's choice of layers does not need.</param>
    /// <exception cref="CalibrationException">There is no sample, a picture does not exist, or the log is of something else.</exception>
    /// <exception cref="EspalierException">The checkpoint cannot be loaded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the log keeps what was measured.</exception>
    public static LayerContribution Measure(string folder, IReadOnlyList<CalibrationSample> samples, CalibrationOptions? options = null, bool text = true)
    {
        using var meter = DivergenceMeter.Open(folder, samples, options);
        int layers = meter.Geometry.Text.Layers;
        meter.Expect(text ? 2 * layers : layers);
        MeasuredCandidate[] visual = [.. Enumerable.Range(0, layers).Select(static layer => MeasuredCandidate.Of(PolicyText.Layers("FreezeVisual", [layer])))];
        double[] ofVisual = meter.Measure(visual);
        double[] ofText = text ? meter.Measure([.. Enumerable.Range(0, layers).Select(MeasuredCandidate.HoldingText)]) : [];
        return new LayerContribution(PolicyText.ModelName(folder), samples.Count, ofVisual, ofText);
    }

    /// <summary>A method on the layers that contribute least.</summary>
    /// <param name="layers">N, how many: 1 to all of them. ShortV's paper takes 19 of 32 and 24 of 40.</param>
    /// <param name="method">What happens in these layers.</param>
    /// <returns>The attribute, for example <c>[ShortV(2, 5, 9)]</c>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The model has no so many layers.</exception>
    public string ToPolicy(int layers, LayerMethod method = LayerMethod.ShortV)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(layers, Ranking.Count);
        return PolicyText.Layers(method.ToString(), Ranking.Take(layers));
    }

    /// <summary>A declaration with that policy, ready to commit.</summary>
    /// <param name="layers">See <see cref="ToPolicy"/>.</param>
    /// <param name="className">The class.</param>
    /// <param name="method">What happens in these layers.</param>
    public string ToDeclaration(int layers, string className, LayerMethod method = LayerMethod.ShortV) => PolicyText.Declaration(
        Model,
        className,
        ToPolicy(layers, method),
        $"The {PolicyText.Number(layers)} layers that contribute least to visual tokens, by layer contribution over {PolicyText.Number(Samples)} samples.");
}
