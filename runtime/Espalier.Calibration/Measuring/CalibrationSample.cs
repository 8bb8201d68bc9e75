namespace Espalier.Calibration;

/// <summary>A question about a picture: what calibration asks a model. It looks at the distribution of the first token of the answer, so that the right answer need not be known.</summary>
/// <param name="Image">Path of a picture: PNG, JPEG, WebP, GIF or TIFF.</param>
/// <param name="Question">The question, without the family's prompt around it.</param>
public sealed record CalibrationSample(string Image, string Question)
{
    /// <summary>Draws some of many samples by chance: the same ones for the same seed, on every machine.</summary>
    /// <param name="samples">All samples.</param>
    /// <param name="count">How many to draw; all of them are returned, in their order, if there are not more.</param>
    /// <param name="seed">What fixes the choice. ShortV's and VTW's published code shuffles by the clock; this does not.</param>
    /// <returns>The drawn samples, in their order.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive.</exception>
    public static IReadOnlyList<CalibrationSample> Choose(IReadOnlyList<CalibrationSample> samples, int count, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var chosen = new List<CalibrationSample>();
        var random = new SplitMix64(unchecked((ulong)seed));
        for (int i = 0; i < samples.Count; i++)
        {
            // Each of the rest is as likely as any other (Knuth, volume 2, algorithm S).
            if (random.NextBelow(samples.Count - i) < Math.Min(count, samples.Count) - chosen.Count)
            {
                chosen.Add(samples[i]);
            }
        }

        return chosen;
    }
}
