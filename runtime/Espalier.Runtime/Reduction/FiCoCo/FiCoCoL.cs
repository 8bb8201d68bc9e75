using System.Numerics.Tensors;

namespace Espalier;

/// <summary>FiCoCo-L (Han et al., arXiv 2411.17686): inside a decoder layer, the most redundant visual tokens go into those that they are correlated to, directly or by way of the text.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/FiCoCoL.md.</remarks>
public static class FiCoCoL
{
    /// <summary>Filters, correlates and compresses the visual rows of one layer.</summary>
    /// <param name="map">The layer's attention: products before the softmax, or the softmax.</param>
    /// <param name="mode">Whom to follow where paper and code differ.</param>
    /// <param name="redundancy">What the likeness of a token to the others is; raw logits if the map is of products.</param>
    /// <param name="beta">The paper's β, 0 to 1.</param>
    /// <param name="gamma">The paper's γ, 0 to 1.</param>
    /// <param name="epsilon">The paper's ε, 0 to 1.</param>
    /// <param name="scratch">At least two floats a visual row.</param>
    /// <param name="merge">Its lengths say how many rows stay and leave.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(AttentionMap map, FiCoCoMode mode, FiCoCoRedundancy redundancy, double beta, double gamma, double epsilon, Span<float> scratch, RowMerge merge)
    {
        int rows = map.VisualRows;
        if (merge.Rows != rows || merge.Kept.IsEmpty || map.TextRows == 0 || scratch.Length < 2 * rows)
        {
            throw new ArgumentException($"A map of {rows} visual and {map.TextRows} text rows and {scratch.Length} floats of scratch do not fit a merge of {merge.Rows} rows into {merge.Kept.Length}.", nameof(merge));
        }

        Span<float> first = scratch[..rows];
        Span<float> second = scratch.Slice(rows, rows);
        bool raw = redundancy == FiCoCoRedundancy.RawLogits;
        Terms(map, redundancy, first, second);
        if (mode == FiCoCoMode.Code)
        {
            // The authors' code adds up what the paper averages.
            TensorPrimitives.Multiply(first, rows, first);
        }
        else if (raw)
        {
            RedundancyFilter.Normalise(first);
            RedundancyFilter.Normalise(second);
        }

        RedundancyFilter.Combine(first, second, beta);
        RedundancyFilter.Split(first, merge);

        int targets = merge.Kept.Length;
        int count = mode == FiCoCoMode.Paper
            ? Correlation.Count(targets, epsilon, strictly: false)
            : Math.Min(Correlation.Count(rows, epsilon, strictly: true), targets);
        Span<float> correlations = second[..targets];
        for (int absorbed = 0; absorbed < merge.Absorbed.Length; absorbed++)
        {
            Correlate(map, merge.Absorbed[absorbed], gamma, merge.Kept, first, correlations);

            if (raw)
            {
                // Products before a softmax may be below zero: shares are those of their exponentials.
                TensorPrimitives.Subtract(correlations, TensorPrimitives.Max<float>(correlations), correlations);
                TensorPrimitives.Exp(correlations, correlations);
            }

            Correlation.Spread(correlations, count, merge, absorbed, exactly: mode == FiCoCoMode.Code);
        }

        Correlation.Compress(merge);
    }

    /// <summary>The two terms of the filter: the mean of a row's attention to the visual rows, or of theirs to it, and the mean of its attention to the text, before and behind the image.</summary>
    internal static void Terms(AttentionMap map, FiCoCoRedundancy redundancy, Span<float> visual, Span<float> text)
    {
        visual.Clear();
        for (int row = 0; row < visual.Length; row++)
        {
            ReadOnlySpan<float> toVisual = map.ToVisual(row);
            if (redundancy == FiCoCoRedundancy.SoftmaxColumns)
            {
                TensorPrimitives.Add(visual, toVisual, visual);
            }
            else
            {
                visual[row] = TensorPrimitives.Sum(toVisual);
            }

            text[row] = (TensorPrimitives.Sum(map.ToPrefix(row)) + TensorPrimitives.Sum(map.ToText(row))) / (map.PrefixRows + map.TextRows);
        }

        TensorPrimitives.Divide(visual, map.VisualRows, visual);
    }

    /// <summary>How a row is correlated to those that stay: <c>γ A_ij + (1 − γ) / m Σ_k A_ik A_kj</c> over the m text rows behind the image.</summary>
    internal static void Correlate(AttentionMap map, int row, double gamma, ReadOnlySpan<int> kept, Span<float> scratch, Span<float> correlations)
    {
        scratch.Clear();
        ReadOnlySpan<float> toText = map.ToText(row);
        for (int k = 0; k < toText.Length; k++)
        {
            TensorPrimitives.MultiplyAdd(map.FromText(k), toText[k], scratch, scratch);
        }

        ReadOnlySpan<float> direct = map.ToVisual(row);
        float indirect = (float)(1 - gamma) / toText.Length;
        for (int i = 0; i < kept.Length; i++)
        {
            correlations[i] = ((float)gamma * direct[kept[i]]) + (indirect * scratch[kept[i]]);
        }
    }
}
