using System.Numerics.Tensors;

namespace Espalier;

/// <summary>FiCoCo-V (Han et al., arXiv 2411.17686): inside a tower layer, the most redundant tokens are merged into those that they are correlated to.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/FiCoCoV.md.</remarks>
public static class FiCoCoV
{
    /// <summary>Chooses the tokens that leave a tower with a CLS token, and what those that stay take of them.</summary>
    /// <param name="map">Products of queries and keys before the softmax, or the attention; mean over heads, a row a query, the CLS token first.</param>
    /// <param name="tokens">The patch that each token is, ascending.</param>
    /// <param name="grid">Patches along a side of the image.</param>
    /// <param name="mode">The paper's or the code's reading of the quantile.</param>
    /// <param name="redundancy">What the likeness of a token to the others is; raw logits if the map is of logits.</param>
    /// <param name="lambda">The weight of likeness against the attention of the CLS token.</param>
    /// <param name="epsilon">The quantile that a correlation must reach.</param>
    /// <param name="window">Patches along a side of the windows of the local penalty.</param>
    /// <param name="coefficient">The local penalty.</param>
    /// <param name="scratch">Three floats a token.</param>
    /// <param name="merge">Receives the merge; the tokens that stay keep their order.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(
        ReadOnlySpan<float> map,
        ReadOnlySpan<int> tokens,
        int grid,
        FiCoCoMode mode,
        FiCoCoRedundancy redundancy,
        double lambda,
        double epsilon,
        int window,
        double coefficient,
        Span<float> scratch,
        RowMerge merge)
    {
        int rows = tokens.Length + 1;
        Check(map, rows, tokens.Length, scratch, merge);
        Span<float> information = scratch.Slice(tokens.Length, tokens.Length);
        map[1..rows].CopyTo(information);
        Merge(new Map(map, rows, tokens.Length, redundancy), tokens, grid, mode, lambda, epsilon, window, coefficient, scratch, merge);
    }

    /// <summary>The same in a tower without a CLS token: in its place stands how far a token's key is from the mean of all keys, <c>-cos(μ, P_i)</c>.</summary>
    /// <param name="map">Products of queries and keys before the softmax, or the attention; mean over heads, a row a query.</param>
    /// <param name="keys">The keys of the layer, mean over heads, one a token.</param>
    /// <param name="tokens">The patch that each token is, ascending.</param>
    /// <param name="grid">Patches along a side of the image.</param>
    /// <param name="mode">The paper's or the code's reading of the quantile.</param>
    /// <param name="redundancy">What the likeness of a token to the others is; raw logits if the map is of logits.</param>
    /// <param name="lambda">The weight of likeness against the distance from the mean.</param>
    /// <param name="epsilon">The quantile that a correlation must reach.</param>
    /// <param name="window">Patches along a side of the windows of the local penalty.</param>
    /// <param name="coefficient">The local penalty.</param>
    /// <param name="scratch">Three floats a token, and as many as a key has.</param>
    /// <param name="merge">Receives the merge; the tokens that stay keep their order.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(
        ReadOnlySpan<float> map,
        ReadOnlySpan<float> keys,
        ReadOnlySpan<int> tokens,
        int grid,
        FiCoCoMode mode,
        FiCoCoRedundancy redundancy,
        double lambda,
        double epsilon,
        int window,
        double coefficient,
        Span<float> scratch,
        RowMerge merge)
    {
        Check(map, tokens.Length, tokens.Length, scratch, merge);
        int width = keys.Length / tokens.Length;
        if (keys.Length % tokens.Length != 0 || scratch.Length < (3 * tokens.Length) + width)
        {
            throw new ArgumentException($"{keys.Length} elements are not the keys of {tokens.Length} tokens, or {scratch.Length} floats of scratch are too few.", nameof(keys));
        }

        FarFromMean(keys, width, scratch.Slice(3 * tokens.Length, width), scratch.Slice(tokens.Length, tokens.Length));
        Merge(new Map(map, tokens.Length, tokens.Length, redundancy), tokens, grid, mode, lambda, epsilon, window, coefficient, scratch, merge);
    }

    /// <summary>The three stages; the information of each token is in the second part of the scratch.</summary>
    private static void Merge(Map map, ReadOnlySpan<int> tokens, int grid, FiCoCoMode mode, double lambda, double epsilon, int window, double coefficient, Span<float> scratch, RowMerge merge)
    {
        Span<float> redundancy = scratch[..tokens.Length];
        Span<float> information = scratch.Slice(tokens.Length, tokens.Length);
        map.Likeness(redundancy);
        if (map.IsRaw)
        {
            RedundancyFilter.Normalise(redundancy);
            RedundancyFilter.Normalise(information);
        }

        RedundancyFilter.Combine(redundancy, information, lambda);
        LocalPenalty.Apply(redundancy, tokens, grid, window, coefficient);
        RedundancyFilter.Split(redundancy, merge);

        int targets = merge.Kept.Length;
        int count = mode == FiCoCoMode.Code
            ? Math.Min(targets, Correlation.Count(map.Rows, epsilon, strictly: true))
            : Correlation.Count(targets, epsilon, strictly: false);
        Span<float> correlations = scratch.Slice(2 * tokens.Length, targets);
        for (int a = 0; a < merge.Absorbed.Length; a++)
        {
            map.Correlate(merge.Absorbed[a], merge.Kept, correlations);
            Correlation.Spread(correlations, count, merge, a, exactly: mode == FiCoCoMode.Code);
        }

        Correlation.Compress(merge);
    }

    private static void Check(ReadOnlySpan<float> map, int rows, int tokens, ReadOnlySpan<float> scratch, RowMerge merge)
    {
        if (map.Length != (long)rows * rows || scratch.Length < 3 * tokens || merge.Rows != tokens || merge.Kept.IsEmpty)
        {
            throw new ArgumentException($"{merge.Absorbed.Length} of {tokens} tokens cannot be merged into {merge.Kept.Length} by a map of {map.Length} elements with {scratch.Length} floats of scratch.", nameof(map));
        }
    }

    private static void FarFromMean(ReadOnlySpan<float> keys, int width, Span<float> mean, Span<float> distances)
    {
        mean.Clear();
        for (int token = 0; token < distances.Length; token++)
        {
            TensorPrimitives.Add(mean, keys.Slice(token * width, width), mean);
        }

        // The mean's length divides out, so its sum does as well.
        float length = TensorPrimitives.Norm<float>(mean);
        for (int token = 0; token < distances.Length; token++)
        {
            ReadOnlySpan<float> key = keys.Slice(token * width, width);
            float product = length * TensorPrimitives.Norm(key);
            distances[token] = product > 0 ? -TensorPrimitives.Dot(mean, key) / product : 0;
        }
    }

    /// <summary>The map, read by tokens: the CLS row and column are left out.</summary>
    private readonly ref struct Map(ReadOnlySpan<float> values, int rows, int tokens, FiCoCoRedundancy redundancy)
    {
        private readonly ReadOnlySpan<float> _values = values;

        public int Rows => rows;

        public bool IsRaw => redundancy == FiCoCoRedundancy.RawLogits;

        /// <summary>The mean of each token's row or column.</summary>
        public void Likeness(Span<float> means)
        {
            means.Clear();
            for (int token = 0; token < tokens; token++)
            {
                ReadOnlySpan<float> row = Row(token);
                if (redundancy == FiCoCoRedundancy.SoftmaxColumns)
                {
                    TensorPrimitives.Add(means, row, means);
                }
                else
                {
                    means[token] = TensorPrimitives.Sum(row);
                }
            }

            TensorPrimitives.Divide(means, tokens, means);
        }

        /// <summary>The correlations of a token to those that stay, above zero: attention as it is, logits as what a softmax makes of them, up to a factor that divides out.</summary>
        public void Correlate(int token, ReadOnlySpan<int> kept, Span<float> correlations)
        {
            ReadOnlySpan<float> row = Row(token);
            for (int k = 0; k < kept.Length; k++)
            {
                correlations[k] = row[kept[k]];
            }

            if (IsRaw)
            {
                TensorPrimitives.Subtract(correlations, TensorPrimitives.Max<float>(correlations), correlations);
                TensorPrimitives.Exp<float>(correlations, correlations);
            }
        }

        private ReadOnlySpan<float> Row(int token) => _values.Slice(((token + rows - tokens) * rows) + rows - tokens, tokens);
    }
}
