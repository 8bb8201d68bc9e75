using System.Runtime.InteropServices;
using Espalier.Planning;

namespace Espalier;

/// <summary>SparseVLM (Zhang et al., arXiv 2410.04417), section 3.3: the visual tokens that the raters attend to most stay; the best of the others are recycled into clusters behind them.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/SparseVlm.md.</remarks>
public static class SparseVlm
{
    /// <summary>How many tokens stay as they are by a published table: never all.</summary>
    /// <param name="tokens">Tokens that are there.</param>
    /// <param name="keep">The table's number.</param>
    public static int Count(int tokens, int keep) => Math.Max(0, Math.Min(keep, tokens - 1));

    /// <summary>How many tokens stay as they are by the authors' first release: rank times scale and bias, rounded downwards, but never all unless the rank is that high.</summary>
    /// <param name="rank">The rank of the raters' attention to the tokens.</param>
    /// <param name="tokens">Tokens that are there.</param>
    /// <param name="scale">The scale.</param>
    /// <param name="bias">The bias.</param>
    public static int Count(int rank, int tokens, double scale, double bias) => rank >= tokens ? tokens : Count(tokens, (int)((rank * scale) + bias));

    /// <summary>How many tokens stay as they are by the paper: of those beyond the rank the share λ leaves, rounded downwards.</summary>
    /// <param name="rank">The rank of the raters' attention to the tokens.</param>
    /// <param name="tokens">Tokens that are there.</param>
    /// <param name="lambda">The share.</param>
    public static int Count(int rank, int tokens, double lambda) => tokens - (int)(lambda * (tokens - Math.Min(rank, tokens)));

    /// <summary>Chooses without recycling, as many as the authors' first release; at least one.</summary>
    /// <param name="scores">One score a token.</param>
    /// <param name="rank">The rank of the raters' attention to the tokens.</param>
    /// <param name="scale">The scale.</param>
    /// <param name="bias">The bias.</param>
    /// <param name="kept">Receives the indices, ascending; room for all tokens.</param>
    /// <returns>How many tokens stay.</returns>
    /// <exception cref="ArgumentException">There is not enough room.</exception>
    public static int Select(ReadOnlySpan<float> scores, int rank, double scale, double bias, Span<int> kept) => Highest(scores, Count(rank, scores.Length, scale, bias), kept);

    /// <summary>Chooses without recycling, as many as the paper; at least one.</summary>
    /// <param name="scores">One score a token.</param>
    /// <param name="rank">The rank of the raters' attention to the tokens.</param>
    /// <param name="lambda">The share.</param>
    /// <param name="kept">Receives the indices, ascending; room for all tokens.</param>
    /// <returns>How many tokens stay.</returns>
    /// <exception cref="ArgumentException">There is not enough room.</exception>
    public static int Select(ReadOnlySpan<float> scores, int rank, double lambda, Span<int> kept) => Highest(scores, Count(rank, scores.Length, lambda), kept);

    /// <summary>Chooses the tokens that stay and recycles the best of the others.</summary>
    /// <remarks>The kept tokens come first, in their order; a token a cluster follows, the mean of its members, in the order in which the clusters' centres were found.</remarks>
    /// <param name="scores">One score a token.</param>
    /// <param name="rows">The tokens' hidden rows, row by row.</param>
    /// <param name="keep">Tokens that stay as they are.</param>
    /// <param name="tau">The share of the others that is recycled.</param>
    /// <param name="scratch">The square of the number of recycled tokens, and five floats a token.</param>
    /// <param name="merge">As many rows as <see cref="Recycling.Left"/> says; its shares are zero.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(ReadOnlySpan<float> scores, ReadOnlySpan<float> rows, int keep, double tau, Span<float> scratch, RowMerge merge)
    {
        int tokens = scores.Length;
        int pooled = Recycling.Pool(tokens - keep, tau);
        int clusters = Recycling.Clusters(pooled);
        if (tokens == 0 || keep < 0 || keep > tokens || merge.Rows != tokens || merge.Kept.Length != keep + clusters || rows.Length % tokens != 0 || scratch.Length < ((long)pooled * pooled) + (5L * tokens))
        {
            throw new ArgumentException($"{tokens} scores, of which {keep} stay, {rows.Length} row elements and {scratch.Length} floats of scratch do not fit a merge of {merge.Rows} rows into {merge.Kept.Length}.", nameof(merge));
        }

        // What stays and what is recycled are together the highest scores.
        Span<int> indices = MemoryMarshal.Cast<float, int>(scratch[^(3 * tokens)..]);
        Span<int> pool = indices[..(keep + pooled)];
        Span<int> kept = merge.Kept[..keep];
        TokenSelection.TopK(scores, kept);
        TokenSelection.TopK(scores, pool);
        pool = Without(pool, kept);

        Span<int> members = indices.Slice(keep + pooled, pooled);
        Span<int> centres = merge.Kept[keep..];
        DensityPeaks.Cluster(rows, rows.Length / tokens, pool, scratch, members, centres);
        Fill(tokens, keep, pool, members, merge);
    }

    private static int Highest(ReadOnlySpan<float> scores, int count, Span<int> kept)
    {
        if (kept.Length < scores.Length)
        {
            throw new ArgumentException($"There are {scores.Length} tokens and room for {kept.Length}.", nameof(kept));
        }

        count = Math.Min(Math.Max(1, count), scores.Length);
        TokenSelection.TopK(scores, kept[..count]);
        return count;
    }

    /// <summary>Takes ascending numbers out of ascending numbers, in place.</summary>
    private static Span<int> Without(Span<int> numbers, ReadOnlySpan<int> leaving)
    {
        int next = 0;
        int count = 0;
        foreach (int number in numbers)
        {
            if (next < leaving.Length && leaving[next] == number)
            {
                next++;
            }
            else
            {
                numbers[count++] = number;
            }
        }

        return numbers[..count];
    }

    /// <summary>Writes the merge: a centre stands for its cluster, and each member has an equal share in it. So far the centres are numbers of the pool.</summary>
    private static void Fill(int tokens, int keep, ReadOnlySpan<int> pool, ReadOnlySpan<int> members, RowMerge merge)
    {
        Span<int> centres = merge.Kept[keep..];
        merge.Own.Clear();
        merge.Own[..keep].Fill(1);
        foreach (int cluster in members)
        {
            merge.Own[keep + cluster]++;
        }

        int columns = merge.Absorbed.Length;
        int staying = 0;
        int recycled = 0;
        int leaving = 0;
        for (int token = 0; token < tokens; token++)
        {
            if (staying < keep && merge.Kept[staying] == token)
            {
                staying++;
                continue;
            }

            if (recycled < pool.Length && pool[recycled] == token)
            {
                int cluster = members[recycled];
                if (centres[cluster] == recycled++)
                {
                    continue;
                }

                merge.Shares[((keep + cluster) * columns) + leaving] = 1 / merge.Own[keep + cluster];
            }

            merge.Absorbed[leaving++] = token;
        }

        for (int cluster = 0; cluster < centres.Length; cluster++)
        {
            centres[cluster] = pool[centres[cluster]];
            merge.Own[keep + cluster] = 1 / merge.Own[keep + cluster];
        }
    }
}
