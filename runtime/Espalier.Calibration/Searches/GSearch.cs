namespace Espalier.Calibration;

/// <summary>G-Search (arXiv 2412.00556): from shallow to deep, the smallest number of visual tokens that each layer can do with.</summary>
/// <remarks>
/// The paper was not available beyond its abstract. Taken from it: the order from shallow to deep with the layers before fixed, counts that never rise, top-k by attention inside a layer. Named choices, no claim
/// of parity: quality is the divergence of the next token from the dense model's; the count is found by bisection; of the tolerance, each layer may use up an equal part; tokens are ranked by the last row's attention.
/// </remarks>
public static class GSearch
{
    /// <summary>Searches every layer.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="samples">What is asked.</param>
    /// <param name="tolerance">The divergence that the whole schedule may reach, in nats.</param>
    /// <param name="firstLayer">The first layer that may work on fewer tokens; from 1.</param>
    /// <param name="options">Log, progress, cancellation; null is the default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The tolerance is negative or no number, or the model has no such layer.</exception>
    /// <exception cref="CalibrationException">There is no sample, a picture does not exist, or the log is of something else.</exception>
    /// <exception cref="EspalierException">The checkpoint cannot be loaded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the log keeps what was measured.</exception>
    public static KeepSchedule Run(string folder, IReadOnlyList<CalibrationSample> samples, double tolerance, int firstLayer = 1, CalibrationOptions? options = null)
    {
        if (!(tolerance >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "The tolerance is a divergence of at least 0.");
        }

        using var meter = DivergenceMeter.Open(folder, samples, options);
        int layers = meter.Geometry.Text.Layers;
        int all = meter.Geometry.VisualTokens;
        if (firstLayer < 1 || firstLayer >= layers)
        {
            throw new ArgumentOutOfRangeException(nameof(firstLayer), firstLayer, $"The model has layers 0 to {layers - 1}, and visual tokens see at least the first.");
        }

        int expected = (layers - firstLayer) * Steps(all);
        meter.Expect(expected);
        int[] counts = [.. Enumerable.Repeat(all, layers)];
        double divergence = 0;
        for (int layer = firstLayer; layer < layers; layer++)
        {
            double allowed = tolerance * (layer - firstLayer + 1) / (layers - firstLayer);

            // The smallest count in [0, before] that is allowed. What was is allowed already, and divergence is taken to fall as the count rises.
            int before = counts[layer - 1];
            int low = 0;
            int high = before;
            double best = divergence;
            expected -= Steps(before);
            int spared = Steps(before);
            while (low < high)
            {
                spared--;
                int middle = (low + high) / 2;
                double measured = meter.Measure(MeasuredCandidate.Of(KeepSchedule.Policy(all, With(counts, layer, middle))));
                if (measured <= allowed)
                {
                    high = middle;
                    best = measured;
                }
                else
                {
                    low = middle + 1;
                }
            }

            counts = With(counts, layer, high);
            divergence = best;

            // Fewer counts are left to try in the layers behind, and none behind zero.
            int left = high == 0 ? 0 : (layers - layer - 1) * Steps(high);
            meter.Expect(left - expected - spared);
            expected = left;
            if (high == 0)
            {
                break;
            }
        }

        return new KeepSchedule(
            PolicyText.ModelName(folder),
            samples.Count,
            all,
            counts,
            divergence,
            $"The fewest visual tokens a layer whose next token moves by at most {PolicyText.Number(tolerance)} nats over {PolicyText.Number(samples.Count)} samples: {PolicyText.Number(divergence)}.");
    }

    /// <summary>Bisections that a count from 0 to a largest one takes at most.</summary>
    private static int Steps(int largest) => (int)Math.Ceiling(Math.Log2(largest + 1));

    private static int[] With(int[] counts, int layer, int count) => [.. counts.Select((before, i) => i < layer ? before : count)];
}
