using System.Runtime.InteropServices;

namespace Espalier;

/// <summary>ToMe (Bolya et al., arXiv 2210.09461): inside a tower layer, similar tokens become their mean, weighted by the patches that each already stands for.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/ToMe.md.</remarks>
public static class ToMe
{
    /// <summary>Merges as many tokens into others as <see cref="RowMerge.Absorbed"/> has room for.</summary>
    /// <remarks>
    /// The rows are dealt in turn to A and B, the CLS row first if there is one. Each of A finds the one of B with the most similar key; the most similar pairs merge, the CLS row never.
    /// The tokens of A that are left come first, in their order if the tower has a CLS token, else by falling similarity as in the authors' code; those of B follow.
    /// </remarks>
    /// <param name="keys">The keys of the layer, mean over heads, one a row.</param>
    /// <param name="sizes">The patches that each row stands for; one row more than the merge counts if the first is the CLS token. Receives those of the rows behind the merge.</param>
    /// <param name="scratch">At least three floats a row, and three.</param>
    /// <param name="merge">Receives the merge.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or so many tokens cannot be merged.</exception>
    public static void Select(ReadOnlySpan<float> keys, Span<float> sizes, Span<float> scratch, RowMerge merge)
    {
        int rows = sizes.Length;
        int cls = rows - merge.Rows;
        int even = (rows + 1) / 2;
        int merged = merge.Absorbed.Length;
        if (cls is not (0 or 1) || rows < 2 || keys.Length % rows != 0 || scratch.Length < 3 * (rows + 1) || merged > (rows - cls) / 2)
        {
            throw new ArgumentException($"{merged} of {merge.Rows} tokens cannot be merged with {keys.Length} key elements, {rows} sizes and {scratch.Length} floats of scratch.", nameof(merge));
        }

        if (merged == 0)
        {
            for (int token = 0; token < merge.Kept.Length; token++)
            {
                merge.Kept[token] = token;
                merge.Own[token] = 1;
            }

            return;
        }

        Span<float> similarities = scratch[..even];
        Span<float> lengths = scratch.Slice(even, rows);
        Span<int> nearest = MemoryMarshal.Cast<float, int>(scratch.Slice(even + rows, even));
        Span<int> order = MemoryMarshal.Cast<float, int>(scratch.Slice((2 * even) + rows, even));
        BipartiteMatching.Match(keys, rows, cls == 1, similarities, nearest, order, lengths);

        // Tokens are counted behind the CLS row: row r is token r - cls.
        Span<int> left = merge.Kept[..(even - cls - merged)];
        Arrange(order[merged..(even - cls)], inOrder: cls == 1, left);
        for (int i = 0; i < left.Length; i++)
        {
            left[i] = (2 * left[i]) - cls;
        }

        for (int j = 0; j < rows / 2; j++)
        {
            merge.Kept[left.Length + j] = (2 * j) + 1 - cls;
        }

        Weigh(order[..merged], nearest, sizes, left.Length, cls, lengths, merge);
    }

    /// <summary>Copies the even rows that do not merge, sorted if asked to.</summary>
    private static void Arrange(ReadOnlySpan<int> unmerged, bool inOrder, Span<int> left)
    {
        for (int i = 0; i < unmerged.Length; i++)
        {
            int place = i;
            while (inOrder && place > 0 && left[place - 1] > unmerged[i])
            {
                left[place] = left[place - 1];
                place--;
            }

            left[place] = unmerged[i];
        }
    }

    /// <summary>Each token of B becomes the mean of the patches that it and those merged into it stand for.</summary>
    private static void Weigh(ReadOnlySpan<int> merging, ReadOnlySpan<int> nearest, Span<float> sizes, int left, int cls, Span<float> larger, RowMerge merge)
    {
        larger = larger[..merge.Kept.Length];
        for (int k = 0; k < larger.Length; k++)
        {
            larger[k] = sizes[merge.Kept[k] + cls];
        }

        foreach (int i in merging)
        {
            larger[left + nearest[i]] += sizes[2 * i];
        }

        for (int k = 0; k < larger.Length; k++)
        {
            merge.Own[k] = sizes[merge.Kept[k] + cls] / larger[k];
        }

        merge.Shares.Clear();
        for (int a = 0; a < merging.Length; a++)
        {
            int target = left + nearest[merging[a]];
            merge.Absorbed[a] = (2 * merging[a]) - cls;
            merge.Shares[(target * merging.Length) + a] = sizes[2 * merging[a]] / larger[target];
        }

        larger.CopyTo(sizes[cls..]);
    }
}
