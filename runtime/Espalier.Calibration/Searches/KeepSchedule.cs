using Espalier.Planning;

namespace Espalier.Calibration;

/// <summary>How many visual tokens each layer works on: what <see cref="GSearch"/> and <see cref="PSigmoid"/> find.</summary>
/// <remarks>Counts never rise. Immutable, thread-safe.</remarks>
public sealed class KeepSchedule
{
    internal KeepSchedule(string model, int samples, int visualTokens, IReadOnlyList<int> counts, double divergence, string found)
    {
        Model = model;
        Samples = samples;
        VisualTokens = visualTokens;
        Counts = counts;
        Divergence = divergence;
        Found = found;
    }

    /// <summary>The model's name: its folder's.</summary>
    public string Model { get; }

    /// <summary>Samples that the divergence is a mean over.</summary>
    public int Samples { get; }

    /// <summary>Visual tokens of an image.</summary>
    public int VisualTokens { get; }

    /// <summary>Visual tokens by layer.</summary>
    public IReadOnlyList<int> Counts { get; }

    /// <summary>Mean divergence of the next token from the dense model's, in nats.</summary>
    public double Divergence { get; }

    /// <summary>How it was found, as a sentence.</summary>
    public string Found { get; }

    /// <summary>The attributes: a prune wherever the count falls, an exit where it falls to 0; empty if it never falls.</summary>
    public string ToPolicy() => Policy(VisualTokens, Counts);

    /// <summary>A declaration with that policy, ready to commit.</summary>
    /// <param name="className">The class.</param>
    public string ToDeclaration(string className) => PolicyText.Declaration(Model, className, ToPolicy(), Found);

    /// <summary>A schedule as attributes.</summary>
    internal static string Policy(int visualTokens, IReadOnlyList<int> counts)
    {
        var attributes = new List<string>();
        int before = visualTokens;
        for (int layer = 0; layer < counts.Count; layer++)
        {
            if (counts[layer] < before)
            {
                attributes.Add(counts[layer] == 0 ? PolicyText.Vtw(layer) : PolicyText.Prune(layer - 1, counts[layer]));
                before = counts[layer];
            }
        }

        return string.Join(' ', attributes);
    }

    /// <summary>Operations of a schedule in prefill by convention C with <see cref="CostModel.AssumedTextTokens"/> text tokens, as a share of the dense model's.</summary>
    internal static double Share(TextGeometry text, int visualTokens, IReadOnlyList<int> counts)
    {
        double Layer(int visual) => CostModel.LayerFlops(text, FlopsConvention.C, LayerMode.Dense, CostModel.AssumedTextTokens, visual);
        return counts.Sum(Layer) / (counts.Count * Layer(visualTokens));
    }
}
