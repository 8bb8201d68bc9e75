namespace Espalier.Calibration;

/// <summary>P-Sigmoid (arXiv 2412.00556): visual tokens by layer along a falling sigmoid whose parameters are chosen under a budget of operations.</summary>
/// <remarks>
/// The paper was not available beyond its abstract. Taken from it: the curve is a parametric sigmoid over layers and its parameters are searched under a FLOPs budget. Named choices, no claim of parity:
/// k(l) = round(N · σ((c − l) / w)), from the second layer on; nine widths w from a twelfth of the layers to all of them, and for each the centre c that meets the budget (by bisection, the cost falls with c) in
/// place of Bayesian optimisation; the curve with the smallest divergence wins, of equals the steepest; convention C with 64 text tokens.
/// </remarks>
public static class PSigmoid
{
    private const int Widths = 9;

    /// <summary>Searches the curves of a budget.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="samples">What is asked.</param>
    /// <param name="budget">The share of the dense model's operations in prefill that may be used, inside (0, 1).</param>
    /// <param name="options">Log, progress, cancellation; null is the default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The budget is not inside (0, 1).</exception>
    /// <exception cref="CalibrationException">The budget is below what one dense layer and text need, there is no sample, a picture does not exist, or the log is of something else.</exception>
    /// <exception cref="EspalierException">The checkpoint cannot be loaded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the log keeps what was measured.</exception>
    public static KeepSchedule Run(string folder, IReadOnlyList<CalibrationSample> samples, double budget, CalibrationOptions? options = null)
    {
        if (!(budget is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(budget), budget, "The budget is a share of the dense model's operations inside (0, 1).");
        }

        using var meter = DivergenceMeter.Open(folder, samples, options);
        var curves = new List<int[]>();
        for (int i = 0; i < Widths; i++)
        {
            if (Curve(meter, budget, Width(meter.Geometry.Text.Layers, i)) is { } curve && !curves.Any(known => known.SequenceEqual(curve)))
            {
                curves.Add(curve);
            }
        }

        int all = meter.Geometry.VisualTokens;
        if (curves.Count == 0)
        {
            int[] least = [all, .. Enumerable.Repeat(0, meter.Geometry.Text.Layers - 1)];
            throw new CalibrationException($"The budget is {PolicyText.Number(budget)} of the dense model's operations; the first layer and the text alone take {PolicyText.Number(KeepSchedule.Share(meter.Geometry.Text, all, least))}. Name a larger one.");
        }

        meter.Expect(curves.Count);
        double[] divergences = meter.Measure([.. curves.Select(curve => MeasuredCandidate.Of(KeepSchedule.Policy(all, curve)))]);
        int best = Enumerable.Range(0, curves.Count).MinBy(i => divergences[i]);
        return new KeepSchedule(
            PolicyText.ModelName(folder),
            samples.Count,
            all,
            curves[best],
            divergences[best],
            $"The sigmoid within {PolicyText.Number(budget)} of the dense operations that moves the next token least over {PolicyText.Number(samples.Count)} samples: {PolicyText.Number(divergences[best])} nats.");
    }

    // Steep to flat, in equal ratios.
    private static double Width(int layers, int index) => layers / 12.0 * Math.Pow(12, index / (Widths - 1.0));

    private static int[]? Curve(DivergenceMeter meter, double budget, double width)
    {
        int layers = meter.Geometry.Text.Layers;
        int all = meter.Geometry.VisualTokens;
        int[] At(double centre)
        {
            var counts = new int[layers];
            for (int layer = 0; layer < layers; layer++)
            {
                counts[layer] = layer == 0 ? all : (int)Math.Round(all / (1 + Math.Exp((layer - centre) / width)), MidpointRounding.ToEven);
            }

            return counts;
        }

        double Share(double centre) => KeepSchedule.Share(meter.Geometry.Text, all, At(centre));

        // From nothing behind the first layer to everything in all of them.
        double low = -40 * width;
        double high = layers + (40 * width);
        if (Share(low) > budget)
        {
            return null;
        }

        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = Share(middle) <= budget ? (middle, high) : (low, middle);
        }

        return At(low);
    }
}
