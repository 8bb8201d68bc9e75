using System.Numerics.Tensors;

namespace Espalier;

/// <summary>Merges each token that does not stay into the kept one that is most similar: what <c>[MergeVisual&lt;TScorer&gt;]</c> does behind its scorer.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition: generator/docs/write-a-scorer.md.</remarks>
public static class SimilarTokens
{
    /// <summary>Keeps the tokens with the highest scores and averages the others into them.</summary>
    /// <remarks>
    /// A token that does not stay goes to the kept one whose row has the highest cosine with its own; the cosine with a row of zeros is 0. A kept token becomes the mean of its row and of
    /// the rows that go into it, each counted once, whatever it was made of before.
    /// </remarks>
    /// <param name="scores">One score a token; the highest stay.</param>
    /// <param name="rows">The tokens' hidden rows, row by row.</param>
    /// <param name="scratch">At least two elements a token that stays; overwritten.</param>
    /// <param name="merge">Its lengths say how many tokens stay and leave; its shares are zero.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(ReadOnlySpan<float> scores, ReadOnlySpan<float> rows, Span<float> scratch, RowMerge merge)
    {
        int tokens = scores.Length;
        Span<int> kept = merge.Kept;
        if (merge.Rows != tokens || kept.IsEmpty || rows.Length % tokens != 0 || scratch.Length < 2 * kept.Length)
        {
            throw new ArgumentException($"{tokens} scores, {rows.Length} row elements and {scratch.Length} of scratch do not fit a merge of {merge.Rows} rows into {kept.Length}.", nameof(merge));
        }

        TokenSelection.TopK(scores, kept);
        int width = rows.Length / tokens;
        Span<float> norms = scratch[..kept.Length];
        Span<float> held = scratch.Slice(kept.Length, kept.Length);
        for (int i = 0; i < kept.Length; i++)
        {
            norms[i] = TensorPrimitives.Norm(rows.Slice(kept[i] * width, width));
        }

        held.Fill(1);
        int staying = 0;
        int leaving = 0;
        int columns = merge.Absorbed.Length;
        for (int token = 0; token < tokens; token++)
        {
            if (staying < kept.Length && kept[staying] == token)
            {
                staying++;
                continue;
            }

            int target = Nearest(rows, width, token, kept, norms);
            merge.Shares[(target * columns) + leaving] = 1;
            merge.Absorbed[leaving++] = token;
            held[target]++;
        }

        for (int i = 0; i < kept.Length; i++)
        {
            Span<float> shares = merge.Shares.Slice(i * columns, columns);
            TensorPrimitives.Divide(shares, held[i], shares);
            merge.Own[i] = 1 / held[i];
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
