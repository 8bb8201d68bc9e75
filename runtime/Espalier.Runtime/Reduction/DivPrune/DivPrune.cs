using System.Numerics.Tensors;

namespace Espalier;

/// <summary>DivPrune (Alvar et al., CVPR 2025): a subset of the tokens whose smallest cosine distance is large, found greedily.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/DivPrune.md.</remarks>
public static class DivPrune
{
    /// <summary>Chooses the tokens that stay.</summary>
    /// <param name="features">The tokens, row by row.</param>
    /// <param name="tokens">How many there are.</param>
    /// <param name="scratch">Two floats a token.</param>
    /// <param name="kept">Receives the indices, ascending; its length is the keep count.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(ReadOnlySpan<float> features, int tokens, Span<float> scratch, Span<int> kept)
    {
        Pick(features, tokens, scratch, kept);

        // A picked token has distance -1, so a walk over all of them gives the picks in ascending order.
        ReadOnlySpan<float> distances = scratch.Slice(tokens, tokens);
        int next = 0;
        for (int token = 0; token < tokens; token++)
        {
            if (distances[token] < 0)
            {
                kept[next++] = token;
            }
        }
    }

    /// <summary>Chooses the tokens in the order in which they are picked.</summary>
    /// <remarks>The first is the one whose nearest other token is farthest; each of the next is the one whose nearest picked token is farthest.</remarks>
    internal static void Pick(ReadOnlySpan<float> features, int tokens, Span<float> scratch, Span<int> picked)
    {
        if (tokens <= 0 || features.Length % tokens != 0 || scratch.Length < 2 * tokens || picked.Length > tokens)
        {
            throw new ArgumentException($"{picked.Length} of {tokens} tokens cannot be picked from {features.Length} elements with {scratch.Length} floats of scratch.", nameof(tokens));
        }

        int width = features.Length / tokens;
        Span<float> inverseNorms = scratch[..tokens];
        Span<float> distances = scratch.Slice(tokens, tokens);
        for (int token = 0; token < tokens; token++)
        {
            float norm = TensorPrimitives.Norm(features.Slice(token * width, width));
            inverseNorms[token] = norm > 0 ? 1 / norm : 0;
        }

        NearestDistances(features, width, inverseNorms, distances);
        Span<float> block = stackalloc float[RowProducts.Block];
        for (int i = 0; i < picked.Length; i++)
        {
            int pick = TensorPrimitives.IndexOfMax<float>(distances);
            picked[i] = pick;
            if (i == 0)
            {
                distances.Fill(float.PositiveInfinity);
            }

            for (int first = 0; first < tokens; first += RowProducts.Block)
            {
                Span<float> products = block[..Math.Min(RowProducts.Block, tokens - first)];
                RowProducts.Multiply(features.Slice(pick * width, width), features[(first * width)..], width, products);
                for (int token = first; token < first + products.Length; token++)
                {
                    if (distances[token] >= 0)
                    {
                        distances[token] = token == pick ? -1 : Math.Min(distances[token], Distance(products[token - first], inverseNorms[token], inverseNorms[pick]));
                    }
                }
            }
        }
    }

    /// <summary>The distance of each token to the nearest other one.</summary>
    private static void NearestDistances(ReadOnlySpan<float> features, int width, ReadOnlySpan<float> inverseNorms, Span<float> distances)
    {
        distances.Fill(float.PositiveInfinity);
        Span<float> block = stackalloc float[RowProducts.Block];
        for (int first = 0; first < distances.Length; first += RowProducts.Block)
        {
            int end = Math.Min(first + RowProducts.Block, distances.Length);
            for (int one = 0; one < end - 1; one++)
            {
                int next = Math.Max(first, one + 1);
                Span<float> products = block[..(end - next)];
                RowProducts.Multiply(features.Slice(one * width, width), features[(next * width)..], width, products);
                for (int other = next; other < end; other++)
                {
                    float distance = Distance(products[other - next], inverseNorms[one], inverseNorms[other]);
                    distances[one] = Math.Min(distances[one], distance);
                    distances[other] = Math.Min(distances[other], distance);
                }
            }
        }
    }

    /// <summary>1 less the cosine, at least 0: rounding must not put a token nearer than itself. NaN counts as 0, so that every token is still picked once.</summary>
    private static float Distance(float product, float inverseNorm, float otherInverseNorm)
    {
        float distance = 1 - (product * inverseNorm * otherInverseNorm);
        return distance > 0 ? distance : 0;
    }
}
