using System.Numerics.Tensors;

namespace Espalier;

/// <summary>CDPruner (Zhang et al., arXiv 2506.10967): greedy maximum of a determinantal point process whose kernel is the tokens' cosine, weighted by their relevance to the question.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/CDPruner.md.</remarks>
public static class CDPruner
{
    // As the authors' code, so that no relevance is zero.
    private const float Least = 1e-6f;

    /// <summary>Chooses the tokens that stay.</summary>
    /// <param name="features">The tokens, row by row.</param>
    /// <param name="tokens">How many there are.</param>
    /// <param name="relevance">How relevant each token is to the question, on any scale.</param>
    /// <param name="scratch">As many floats as tokens and tokens that stay, plus three, multiply to: <c>tokens (kept + 3)</c>.</param>
    /// <param name="kept">Receives the indices, ascending; its length is the keep count.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(ReadOnlySpan<float> features, int tokens, ReadOnlySpan<float> relevance, Span<float> scratch, Span<int> kept)
    {
        if (tokens <= 0 || features.IsEmpty || features.Length % tokens != 0 || relevance.Length != tokens || kept.Length > tokens || scratch.Length < tokens * (kept.Length + 3L))
        {
            throw new ArgumentException($"{kept.Length} of {tokens} tokens cannot be picked from {features.Length} elements and {relevance.Length} relevances with {scratch.Length} floats of scratch.", nameof(tokens));
        }

        Span<float> normalised = scratch[..tokens];
        relevance.CopyTo(normalised);
        Normalise(normalised);
        Pick(features, normalised, scratch[tokens..], kept);

        // A picked token has variance minus infinity, so a walk over all of them gives the picks in ascending order.
        ReadOnlySpan<float> variances = scratch.Slice(tokens, tokens);
        int next = 0;
        for (int token = 0; token < tokens; token++)
        {
            if (float.IsNegativeInfinity(variances[token]))
            {
                kept[next++] = token;
            }
        }
    }

    /// <summary>Spreads relevance over 0 to 1: <c>(r − min + 1e-6) / (max − min)</c>; equal ones all become 1.</summary>
    internal static void Normalise(Span<float> relevance)
    {
        float lowest = TensorPrimitives.Min<float>(relevance);
        float range = TensorPrimitives.Max<float>(relevance) - lowest;
        if (range > 0)
        {
            TensorPrimitives.Subtract(relevance, lowest, relevance);
            TensorPrimitives.Add(relevance, Least, relevance);
            TensorPrimitives.Divide(relevance, range, relevance);
        }
        else
        {
            relevance.Fill(1);
        }
    }

    /// <summary>Picks greedily by the fast maximum a posteriori of Chen et al. (NeurIPS 2018), in the order of the picks.</summary>
    /// <param name="features">The tokens, row by row.</param>
    /// <param name="relevance">One number a token.</param>
    /// <param name="scratch">First the variance that each token has left, minus infinity if it is picked; then inverse norms; then a row of Cholesky factors a pick.</param>
    /// <param name="picked">Receives the picks.</param>
    internal static void Pick(ReadOnlySpan<float> features, ReadOnlySpan<float> relevance, Span<float> scratch, Span<int> picked)
    {
        int tokens = relevance.Length;
        int width = features.Length / tokens;
        Span<float> variances = scratch[..tokens];
        Span<float> inverseNorms = scratch.Slice(tokens, tokens);
        Span<float> factors = scratch.Slice(2 * tokens, picked.Length * tokens);
        for (int token = 0; token < tokens; token++)
        {
            float norm = TensorPrimitives.Norm(features.Slice(token * width, width));
            inverseNorms[token] = norm > 0 ? 1 / norm : 0;
            variances[token] = relevance[token] * relevance[token];
        }

        for (int pick = 0; pick < picked.Length; pick++)
        {
            int best = TensorPrimitives.IndexOfMax<float>(variances);
            picked[pick] = best;

            // Rounding may leave nothing of a token that lies in the span of the picks; its row would divide by zero.
            float deviation = MathF.Sqrt(Math.Max(variances[best], float.Epsilon));
            variances[best] = float.NegativeInfinity;
            Span<float> row = factors.Slice(pick * tokens, tokens);
            RowProducts.Multiply(features.Slice(best * width, width), features, width, row);
            for (int token = 0; token < tokens; token++)
            {
                if (float.IsNegativeInfinity(variances[token]))
                {
                    continue;
                }

                // A token that holds NaN has no direction, as one of length 0; else one of them would make every variance NaN.
                bool bothPoint = inverseNorms[best] > 0 && inverseNorms[token] > 0;
                float cosine = bothPoint ? row[token] * inverseNorms[best] * inverseNorms[token] : 0;
                float kernel = relevance[best] * cosine * relevance[token];
                for (int earlier = 0; earlier < pick; earlier++)
                {
                    kernel -= factors[(earlier * tokens) + best] * factors[(earlier * tokens) + token];
                }

                row[token] = kernel / deviation;
                variances[token] = Math.Max(variances[token] - (row[token] * row[token]), float.MinValue);
            }
        }
    }
}
