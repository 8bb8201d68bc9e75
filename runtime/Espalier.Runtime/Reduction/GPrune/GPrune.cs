using System.Numerics.Tensors;

namespace Espalier;

/// <summary>G-Prune (Jiang et al., AAAI 2025): tokens in which most information gathers when it is propagated over the graph of similar tokens.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/GPrune.md.</remarks>
public static class GPrune
{
    /// <summary>Chooses the tokens that stay: those with the highest scores.</summary>
    /// <param name="features">The tokens, row by row.</param>
    /// <param name="tokens">How many there are.</param>
    /// <param name="threshold">The cosine below which two tokens are not joined.</param>
    /// <param name="temperature">What cosines are divided by before the softmax.</param>
    /// <param name="iterations">Steps of propagation.</param>
    /// <param name="scratch">As many floats as <paramref name="tokens"/> squared, and three a token.</param>
    /// <param name="kept">Receives the indices, ascending; its length is the keep count.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(ReadOnlySpan<float> features, int tokens, double threshold, double temperature, int iterations, Span<float> scratch, Span<int> kept)
    {
        if (tokens <= 0 || features.Length % tokens != 0 || scratch.Length < tokens * (tokens + 3L))
        {
            throw new ArgumentException($"{tokens} tokens cannot be ranked with {features.Length} elements and {scratch.Length} floats of scratch.", nameof(tokens));
        }

        Span<float> scores = scratch[..tokens];
        Score(features, (float)threshold, (float)temperature, iterations, scratch[tokens..], scores);
        TokenSelection.TopK(scores, kept);
    }

    /// <summary>Writes the scores: norms, propagated along the rows of the softmax of thresholded cosines, over the number of tokens that each is joined to.</summary>
    internal static void Score(ReadOnlySpan<float> features, float threshold, float temperature, int iterations, Span<float> scratch, Span<float> scores)
    {
        int tokens = scores.Length;
        int width = features.Length / tokens;
        Span<float> information = scratch[..tokens];
        Span<float> gathered = scratch.Slice(tokens, tokens);
        Span<float> graph = scratch.Slice(2 * tokens, tokens * tokens);
        for (int token = 0; token < tokens; token++)
        {
            information[token] = TensorPrimitives.Norm(features.Slice(token * width, width));
        }

        Join(features, width, information, threshold, temperature, graph);
        for (int token = 0; token < tokens; token++)
        {
            Span<float> row = graph.Slice(token * tokens, tokens);
            TensorPrimitives.Subtract(row, TensorPrimitives.Max<float>(row), row);
            TensorPrimitives.SoftMax<float>(row, row);
            scores[token] = row.Length - row.Count(0f);
        }

        for (int i = 0; i < iterations; i++)
        {
            gathered.Clear();
            for (int token = 0; token < tokens; token++)
            {
                TensorPrimitives.MultiplyAdd(graph.Slice(token * tokens, tokens), information[token], gathered, gathered);
            }

            gathered.CopyTo(information);
        }

        TensorPrimitives.Divide(information, scores, scores);
    }

    /// <summary>Cosines over the temperature; where two tokens are not joined, a number whose exponential is zero.</summary>
    private static void Join(ReadOnlySpan<float> features, int width, ReadOnlySpan<float> norms, float threshold, float temperature, Span<float> graph)
    {
        const float Apart = -5000;
        int tokens = norms.Length;
        for (int first = 0; first < tokens; first += RowProducts.Block)
        {
            int end = Math.Min(first + RowProducts.Block, tokens);
            for (int one = 0; one < end; one++)
            {
                int next = Math.Max(first, one);
                Span<float> edges = graph.Slice((one * tokens) + next, end - next);
                RowProducts.Multiply(features.Slice(one * width, width), features[(next * width)..], width, edges);
                for (int other = next; other < end; other++)
                {
                    float length = norms[one] * norms[other];
                    float cosine = length > 0 ? edges[other - next] / length : 0;
                    edges[other - next] = cosine < threshold ? Apart : cosine / temperature;
                    graph[(other * tokens) + one] = edges[other - next];
                }
            }
        }
    }
}
