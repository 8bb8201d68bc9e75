using System.Numerics.Tensors;

namespace Espalier;

/// <summary>FiCoCo's second and third stage (arXiv 2411.17686, sections 3.3 and 3.4): to which of the tokens that stay a token that leaves is correlated, and what they take of it.</summary>
/// <remarks>Shared by FiCoCo-V and FiCoCo-L. Pure arithmetic in fp32, no allocation. Thread-safe.</remarks>
internal static class Correlation
{
    /// <summary>How many entries of a row reach its ε-quantile with linear interpolation, if no two are equal. It depends on the length alone; at least 1.</summary>
    /// <param name="length">Entries of the row.</param>
    /// <param name="epsilon">The paper's ε, 0 to 1.</param>
    /// <param name="strictly">True if an entry that equals the quantile does not count, as in the authors' code. Only where ε (length − 1) is whole does that make a difference.</param>
    public static int Count(int length, double epsilon, bool strictly)
    {
        double place = epsilon * (length - 1);
        int count = strictly ? length - 1 - (int)Math.Floor(place) : length - (int)Math.Ceiling(place);
        return Math.Clamp(count, 1, length);
    }

    /// <summary>Spreads one token that leaves over its targets, the <paramref name="count"/> highest entries: target j takes the share <c>C_j / Σ C</c> of the token.</summary>
    /// <param name="correlations">One number a token that stays; above zero where it is highest.</param>
    /// <param name="count">How many entries reach the quantile, see <see cref="Count"/>.</param>
    /// <param name="merge">Receives the shares.</param>
    /// <param name="absorbed">Index of the token in <see cref="RowMerge.Absorbed"/>.</param>
    /// <param name="exactly">True if there are <paramref name="count"/> targets and, of equal entries, those with the lower index, as in the authors' code; false if whatever equals the last of them is a target too, since it reaches the quantile.</param>
    /// <exception cref="ArgumentException">The row has another length than there are tokens that stay.</exception>
    public static void Spread(ReadOnlySpan<float> correlations, int count, RowMerge merge, int absorbed, bool exactly = false)
    {
        if (correlations.Length != merge.Kept.Length)
        {
            throw new ArgumentException($"{merge.Kept.Length} tokens stay, but {correlations.Length} are correlated.", nameof(correlations));
        }

        float threshold = AtLeast(correlations, count);
        int equal = exactly ? count - Above(correlations, threshold) : correlations.Length;
        int columns = merge.Absorbed.Length;
        float sum = 0;
        for (int target = 0; target < correlations.Length; target++)
        {
            float correlation = correlations[target];
            bool takes = correlation > threshold || (correlation == threshold && equal-- > 0);
            merge.Shares[(target * columns) + absorbed] = takes ? correlation : 0;
            sum += takes ? correlation : 0;
        }

        for (int target = 0; target < correlations.Length; target++)
        {
            float share = merge.Shares[(target * columns) + absorbed];
            merge.Shares[(target * columns) + absorbed] = sum > 0 ? share / sum : 0;
        }
    }

    /// <summary>Compresses: divides what each token takes by 1 + Σ α, where α are its shares, so that it stays an average: <c>(X_j + Σ α_ij X_i) / (1 + Σ α_ij)</c>.</summary>
    /// <remarks>A token stays at least half of itself only while its shares add up to one at most; the paper's claim that it always does is not so.</remarks>
    public static void Compress(RowMerge merge)
    {
        int columns = merge.Absorbed.Length;
        for (int target = 0; target < merge.Kept.Length; target++)
        {
            Span<float> shares = merge.Shares.Slice(target * columns, columns);
            float whole = 1 + TensorPrimitives.Sum<float>(shares);
            merge.Own[target] = 1 / whole;
            TensorPrimitives.Divide(shares, whole, shares);
        }
    }

    private static int Above(ReadOnlySpan<float> values, float threshold)
    {
        int above = 0;
        foreach (float value in values)
        {
            above += value > threshold ? 1 : 0;
        }

        return above;
    }

    /// <summary>The entry that <paramref name="count"/> entries reach. Few are asked for, so each is found by a look at all; equal ones are found at once.</summary>
    private static float AtLeast(ReadOnlySpan<float> values, int count)
    {
        float found = float.PositiveInfinity;
        for (int reached = 0; reached < count;)
        {
            float next = float.NegativeInfinity;
            int equal = 0;
            foreach (float value in values)
            {
                if (value < found && value >= next)
                {
                    equal = value > next ? 1 : equal + 1;
                    next = value;
                }
            }

            if (equal == 0)
            {
                break;
            }

            found = next;
            reached += equal;
        }

        return found;
    }
}
