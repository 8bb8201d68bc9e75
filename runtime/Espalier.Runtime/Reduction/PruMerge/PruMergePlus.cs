namespace Espalier;

/// <summary>PruMerge+ (Shang et al., arXiv 2403.15388): as <see cref="PruMerge"/>, with patches at even distances besides the outliers.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/PruMerge.md.</remarks>
public static class PruMergePlus
{
    /// <summary>Chooses the tokens and writes the weights that make them of the tower's rows.</summary>
    /// <param name="clsAttention">One score a patch.</param>
    /// <param name="keys">One key a patch, row by row.</param>
    /// <param name="neighbours">Neighbours that each kept patch takes in, 1 to 1000.</param>
    /// <param name="scratch">Two floats a patch.</param>
    /// <param name="kept">Receives the patch that each token stands for: outliers by falling score, then evenly spaced patches; -2 is the last one, which stands for the rest. Its length is the upper bound.</param>
    /// <param name="weights">All zero. A row a token, a column a row of the tower: the patches, behind the CLS row if there is one.</param>
    /// <returns>How many tokens there are, the last one included.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static int Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, int neighbours, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        PruMerge.Check(clsAttention, keys, neighbours, scratch, kept, weights);
        int outliers = PruMerge.Outliers(clsAttention, scratch, kept);
        int count = Spread(clsAttention.Length, outliers, kept);
        return PruMerge.Merge(clsAttention, keys, neighbours, scratch, kept, count, weights);
    }

    /// <summary>Adds the patches 0, s, 2s, ... before the last one that are no outliers, as many as there is room for; s is a third of the patches an outlier, at least 1.</summary>
    /// <returns>How many patches there are then.</returns>
    internal static int Spread(int patches, int outliers, Span<int> kept)
    {
        int distance = Math.Max(1, patches / outliers / 3);
        int count = outliers;
        for (int patch = 0; patch < patches - 1 && count < kept.Length - 1; patch += distance)
        {
            if (!kept[..outliers].Contains(patch))
            {
                kept[count++] = patch;
            }
        }

        return count;
    }
}
