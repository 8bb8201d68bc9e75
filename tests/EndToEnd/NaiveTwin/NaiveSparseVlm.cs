using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>SparseVLM behind a layer, told a second time in doubles, by sorting and without scratch.</summary>
internal static class NaiveSparseVlm
{
    /// <summary>Fills a merge.</summary>
    public static RowMerge Recycle(Step step, ForwardPass pass, float[] scores)
    {
        int tokens = scores.Length;
        double tau = Number(step.Kernel!, "tau");
        int keep = step.Kernel!.Counting is { } counting ? Count(counting, pass, tokens) : (int)Number(step.Kernel, "keep");
        int pooled = keep == tokens ? 0 : Math.Min(tokens - keep, (int)((tokens - keep) * tau) + 1);
        int clusters = pooled == 0 ? 0 : (pooled / 10) + 1;
        int[] order = [.. Enumerable.Range(0, tokens).OrderByDescending(i => scores[i]).ThenBy(static i => i)];
        int[] pool = [.. order.Skip(keep).Take(pooled).Order()];
        double[][] rows = [.. pass.VisualRows.ToArray().Chunk(pass.VisualRows.Length / tokens).Select(static row => Array.ConvertAll(row, static x => (double)x))];
        (int[] centres, int[] members) = Cluster([.. pool.Select(token => rows[token])], clusters);

        RowMerge merge = pass.Merge(keep + clusters);
        int[] kept = [.. order.Take(keep).Order(), .. centres.Select(centre => pool[centre])];
        var weights = new float[kept.Length * tokens];
        for (int row = 0; row < keep; row++)
        {
            weights[(row * tokens) + kept[row]] = 1;
        }

        for (int i = 0; i < pooled; i++)
        {
            weights[((keep + members[i]) * tokens) + pool[i]] = 1f / members.Count(cluster => cluster == members[i]);
        }

        NaiveKernels.Fill(merge, kept, weights);
        return merge;
    }

    /// <summary>How many tokens stay where nothing is recycled and the rank says it.</summary>
    public static int Left(Step step, ForwardPass pass, int tokens) => Math.Clamp(Count(step.Kernel!, pass, tokens), 1, tokens);

    /// <summary>The scores of SparseVLM+.</summary>
    public static float[] Corrected(Step step, RaterAttention attention)
    {
        var corrected = new double[attention.Heads][];
        for (int head = 0; head < attention.Heads; head++)
        {
            corrected[head] = new double[attention.VisualRows];
            for (int rater = 0; rater < attention.Raters; rater++)
            {
                for (int token = 0; token < attention.VisualRows; token++)
                {
                    corrected[head][token] += (double)attention.Row(head, rater)[token] / attention.Response(rater, token);
                }
            }
        }

        int[] heads = NaiveKernels.Highest([.. corrected.Select(static row => row.Sum())], (int)Number(step.Kernel!, "heads"));
        return [.. Enumerable.Range(0, attention.VisualRows).Select(token => (float)heads.Sum(head => corrected[head][token]))];
    }

    private static int Count(Kernel counting, ForwardPass pass, int tokens)
    {
        if (counting.Find("keep") is { } keep)
        {
            return Math.Min((int)keep.Value, tokens - 1);
        }

        int rank = Rank(pass.RaterAttention);
        Assert.Equal(rank, pass.RaterRank);
        return counting.Find("lambda") is { } lambda ? tokens - (int)(lambda.Value * (tokens - rank))
            : rank == tokens ? tokens : Math.Min((int)((rank * Number(counting, "scale")) + Number(counting, "bias")), tokens - 1);
    }

    /// <summary>By Gram and Schmidt, the longest row that is left first.</summary>
    private static int Rank(RaterAttention attention)
    {
        var rows = new List<double[]>();
        for (int rater = 0; rater < attention.Raters; rater++)
        {
            var mean = new double[attention.VisualRows];
            for (int head = 0; head < attention.Heads; head++)
            {
                for (int token = 0; token < mean.Length; token++)
                {
                    mean[token] += (double)attention.Row(head, rater)[token] / attention.Heads;
                }
            }

            rows.Add(mean);
        }

        double Length(double[] row) => Math.Sqrt(row.Sum(static x => x * x));
        double least = rows.Max(Length) * Math.Max(rows.Count, attention.VisualRows) / (1 << 23);
        int rank = 0;
        for (; rows.Count > 0 && rows.MaxBy(Length) is { } longest && Length(longest) > least; rank++)
        {
            rows.Remove(longest);
            rows = [.. rows.Select(row =>
            {
                double share = row.Zip(longest, static (a, b) => a * b).Sum() / longest.Sum(static x => x * x);
                return row.Zip(longest, (a, b) => a - (share * b)).ToArray();
            })];
        }

        return rank;
    }

    private static (int[] Centres, int[] Members) Cluster(double[][] rows, int clusters)
    {
        if (clusters == 0)
        {
            return ([], []);
        }

        double[][] distances = [.. rows.Select(one => rows.Select(other => Math.Sqrt(one.Zip(other, static (a, b) => (a - b) * (a - b)).Sum() / one.Length)).ToArray())];
        double[] density = [.. distances.Select(row => Math.Exp(-row.Order().Take(clusters).Average(static x => x * x)))];
        double farthest = distances.Max(static row => row.Max());
        double[] peaks =
        [
            .. rows.Select((_, i) => density[i] * Enumerable.Range(0, rows.Length)
                .Where(j => density[j] > density[i] || (density[j] == density[i] && j < i)).Select(j => distances[i][j]).DefaultIfEmpty(farthest).Min()),
        ];
        int[] centres = [.. Enumerable.Range(0, rows.Length).OrderByDescending(i => peaks[i]).ThenBy(static i => i).Take(clusters)];
        int[] members = [.. rows.Select((_, i) => Array.IndexOf(centres, i) is >= 0 and var own ? own : Enumerable.Range(0, clusters).MinBy(cluster => distances[i][centres[cluster]]))];
        return (centres, members);
    }

    private static double Number(Kernel kernel, string name) => kernel.Find(name)!.Value;
}
