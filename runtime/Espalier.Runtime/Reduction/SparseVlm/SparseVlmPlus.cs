using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Espalier;

/// <summary>SparseVLM+ (version 2.0 of the code of Zhang et al., arXiv 2410.04417): the visual tokens stay that the raters attend to most, corrected for distance, in the heads that look at the image most.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/SparseVlmPlus.md.</remarks>
public static class SparseVlmPlus
{
    /// <summary>Chooses the tokens that stay.</summary>
    /// <param name="scores">Receives the corrected score of each token.</param>
    /// <param name="attention">The raters' attention.</param>
    /// <param name="heads">Heads that count.</param>
    /// <param name="scratch">At least two floats a head.</param>
    /// <param name="kept">Receives the indices, ascending; its length is the keep count.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(Span<float> scores, RaterAttention attention, int heads, Span<float> scratch, Span<int> kept)
    {
        if (scores.Length != attention.VisualRows || heads <= 0 || heads > attention.Heads || scratch.Length < attention.Heads + heads)
        {
            throw new ArgumentException($"{heads} of {attention.Heads} heads, {attention.VisualRows} visual rows and {scratch.Length} floats of scratch do not fit {scores.Length} scores.", nameof(scores));
        }

        Span<float> mass = scratch[..attention.Heads];
        for (int head = 0; head < mass.Length; head++)
        {
            scores.Clear();
            Add(attention, head, scores);
            mass[head] = TensorPrimitives.Sum<float>(scores);
        }

        Span<int> chosen = MemoryMarshal.Cast<float, int>(scratch.Slice(attention.Heads, heads));
        TokenSelection.TopK(mass, chosen);
        scores.Clear();
        foreach (int head in chosen)
        {
            Add(attention, head, scores);
        }

        TensorPrimitives.Divide(scores, heads * attention.Raters, scores);
        TokenSelection.TopK(scores, kept);
    }

    private static void Add(RaterAttention attention, int head, Span<float> scores)
    {
        for (int rater = 0; rater < attention.Raters; rater++)
        {
            ReadOnlySpan<float> row = attention.Row(head, rater);
            for (int token = 0; token < row.Length; token++)
            {
                scores[token] += row[token] / attention.Response(rater, token);
            }
        }
    }
}
