namespace Espalier.Calibration;

/// <summary>The Kullback-Leibler divergence of two softmax distributions.</summary>
internal static class Divergence
{
    /// <summary>KL(softmax(first) ‖ softmax(second)) in nats; never below 0.</summary>
    /// <param name="first">Logits of the first distribution.</param>
    /// <param name="second">Logits of the second, of the same length.</param>
    public static double Of(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        if (first.Length != second.Length || first.IsEmpty)
        {
            throw new ArgumentException($"The distributions are over {first.Length} and {second.Length} tokens.", nameof(second));
        }

        // In doubles: of a hundred thousand terms nearly all cancel.
        double firstNorm = LogSum(first);
        double secondNorm = LogSum(second);
        double sum = 0;
        for (int i = 0; i < first.Length; i++)
        {
            double log = first[i] - firstNorm;
            sum += Math.Exp(log) * (log - (second[i] - secondNorm));
        }

        return Math.Max(0, sum);
    }

    private static double LogSum(ReadOnlySpan<float> logits)
    {
        double largest = double.NegativeInfinity;
        foreach (float logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        double sum = 0;
        foreach (float logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        return largest + Math.Log(sum);
    }
}
