using System.Numerics.Tensors;

namespace Espalier;

/// <summary>PruMerge (Shang et al., arXiv 2403.15388): patches whose CLS attention is an outlier stay and take in their nearest neighbours; one token sums up the rest.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/PruMerge.md.</remarks>
public static class PruMerge
{
    /// <summary>What stands for many patches in the results.</summary>
    internal const int Rest = -2;

    /// <summary>Floats of scratch for each patch.</summary>
    internal const int ScratchPerPatch = 2;

    /// <summary>Neighbours that a token can take in.</summary>
    internal const int MostNeighbours = 1000;

    /// <summary>Chooses the tokens and writes the weights that make them of the tower's rows.</summary>
    /// <param name="clsAttention">One score a patch.</param>
    /// <param name="keys">One key a patch, row by row.</param>
    /// <param name="neighbours">Neighbours that each kept patch takes in, 1 to 1000.</param>
    /// <param name="scratch">Two floats a patch.</param>
    /// <param name="kept">Receives the patch that each token stands for, by falling score; -2 is the last one, which stands for the rest. Its length is the upper bound.</param>
    /// <param name="weights">All zero. A row a token, a column a row of the tower: the patches, behind the CLS row if there is one.</param>
    /// <returns>How many tokens there are, the last one included.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static int Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, int neighbours, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        Check(clsAttention, keys, neighbours, scratch, kept, weights);
        int count = Outliers(clsAttention, scratch, kept);
        return Merge(clsAttention, keys, neighbours, scratch, kept, count, weights);
    }

    /// <summary>Writes the outliers by falling score; the highest score is always one. If there is room for two tokens, one is left for the rest.</summary>
    internal static int Outliers(ReadOnlySpan<float> scores, Span<float> scratch, Span<int> kept)
    {
        int count = Math.Clamp(QuartileOutliers.Count(scores, scratch), 1, Math.Max(1, kept.Length - 1));
        Span<int> chosen = kept[..count];
        TokenSelection.TopK(scores, chosen);

        // They come by index; few are sorted fast by insertion, which leaves equal scores in this order.
        for (int i = 1; i < count; i++)
        {
            int patch = chosen[i];
            int place = i;
            for (; place > 0 && scores[chosen[place - 1]] < scores[patch]; place--)
            {
                chosen[place] = chosen[place - 1];
            }

            chosen[place] = patch;
        }

        return count;
    }

    /// <summary>Writes the weights of the first patches, of itself one and of its neighbours their attention, and behind them those of the rest.</summary>
    /// <returns>How many tokens there are.</returns>
    internal static int Merge(ReadOnlySpan<float> scores, ReadOnlySpan<float> keys, int neighbours, Span<float> scratch, Span<int> kept, int count, Span<float> weights)
    {
        int patches = scores.Length;
        int width = keys.Length / patches;
        int columns = weights.Length / kept.Length;
        int cls = columns - patches;
        Span<float> inverseNorms = scratch[..patches];
        Span<float> cosines = scratch.Slice(patches, patches);
        for (int patch = 0; patch < patches; patch++)
        {
            float norm = TensorPrimitives.Norm(keys.Slice(patch * width, width));
            inverseNorms[patch] = norm > 0 ? 1 / norm : 0;
        }

        Span<int> nearest = stackalloc int[MostNeighbours];
        nearest = nearest[..Math.Min(neighbours, patches - 1)];
        for (int row = 0; row < count; row++)
        {
            int patch = kept[row];
            ReadOnlySpan<float> key = keys.Slice(patch * width, width);
            for (int other = 0; other < patches; other++)
            {
                cosines[other] = TensorPrimitives.Dot(key, keys.Slice(other * width, width)) * inverseNorms[other] * inverseNorms[patch];
            }

            cosines[patch] = float.NaN;
            TokenSelection.TopK(cosines, nearest);
            Span<float> taken = weights.Slice((row * columns) + cls, patches);
            foreach (int other in nearest)
            {
                taken[other] = scores[other];
            }

            taken[patch] = 1;
        }

        if (count == kept.Length)
        {
            return count;
        }

        Span<float> rest = weights.Slice((count * columns) + cls, patches);
        scores.CopyTo(rest);
        foreach (int patch in kept[..count])
        {
            rest[patch] = 0;
        }

        kept[count] = Rest;
        return count + 1;
    }

    internal static void Check(ReadOnlySpan<float> scores, ReadOnlySpan<float> keys, int neighbours, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        int patches = scores.Length;
        int columns = kept.IsEmpty ? 0 : weights.Length / kept.Length;
        if (patches == 0 || keys.Length % patches != 0 || scratch.Length < (long)ScratchPerPatch * patches || neighbours is < 1 or > MostNeighbours
            || kept.Length > patches || columns - patches is not (0 or 1) || columns * kept.Length != weights.Length)
        {
            throw new ArgumentException($"At most {kept.Length} tokens of {patches} patches and {neighbours} neighbours do not fit {keys.Length} key elements, {scratch.Length} floats of scratch and {weights.Length} weights.", nameof(weights));
        }
    }
}
