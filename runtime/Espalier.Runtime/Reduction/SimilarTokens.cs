using System.Numerics.Tensors;

namespace Espalier;

/// <summary>Merges each token that does not stay into the kept one that is most similar: what <c>[MergeVisual&lt;TScorer&gt;]</c> does behind its scorer.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition: generator/docs/write-a-scorer.md.</remarks>
public static class SimilarTokens
{
    /// <summary>Keeps the tokens with the highest scores and writes the weights that average the others into them.</summary>
    /// <remarks>
    /// A token that does not stay goes to the kept one whose row has the highest cosine with its own; the cosine with a row of zeros is 0. A kept token becomes the mean of its row and of
    /// the rows that go into it, each counted once, whatever it was made of before.
    /// </remarks>
    /// <param name="scores">One score a token; the highest stay.</param>
    /// <param name="rows">The tokens' hidden rows, row by row.</param>
    /// <param name="scratch">At least <c>kept.Length</c> elements; overwritten.</param>
    /// <param name="kept">Receives the tokens that stay, ascending.</param>
    /// <param name="weights">All zero. Receives for each kept token a row: what it takes of each token.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(ReadOnlySpan<float> scores, ReadOnlySpan<float> rows, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        int tokens = scores.Length;
        if (tokens == 0 || rows.Length % tokens != 0 || kept.IsEmpty || kept.Length > tokens || scratch.Length < kept.Length || weights.Length != kept.Length * tokens)
        {
            throw new ArgumentException($"{kept.Length} of {tokens} tokens do not fit {rows.Length} row elements, {scratch.Length} of scratch and {weights.Length} weights.", nameof(weights));
        }

        TokenSelection.TopK(scores, kept);
        int width = rows.Length / tokens;
        for (int i = 0; i < kept.Length; i++)
        {
            scratch[i] = TensorPrimitives.Norm(rows.Slice(kept[i] * width, width));
        }

        int next = 0;
        for (int token = 0; token < tokens; token++)
        {
            int target = next;
            if (next < kept.Length && kept[next] == token)
            {
                next++;
            }
            else
            {
                target = Nearest(rows, width, token, kept, scratch);
            }

            weights[(target * tokens) + token] = 1;
        }

        for (int i = 0; i < kept.Length; i++)
        {
            Span<float> row = weights.Slice(i * tokens, tokens);
            float held = TensorPrimitives.Sum<float>(row);
            if (held > 1)
            {
                TensorPrimitives.Divide(row, held, row);
            }
        }
    }

    private static int Nearest(ReadOnlySpan<float> rows, int width, int token, ReadOnlySpan<int> kept, ReadOnlySpan<float> norms)
    {
        // The length of the token's own row scales all cosines alike, so it has no influence on the highest.
        ReadOnlySpan<float> row = rows.Slice(token * width, width);
        int nearest = 0;
        float highest = float.NegativeInfinity;
        for (int i = 0; i < kept.Length; i++)
        {
            float similarity = norms[i] > 0 ? TensorPrimitives.Dot(row, rows.Slice(kept[i] * width, width)) / norms[i] : 0;
            if (similarity > highest)
            {
                highest = similarity;
                nearest = i;
            }
        }

        return nearest;
    }
}
