using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>The reductions before the decoder, told a second time in doubles, by sorting and without scratch.</summary>
internal static class NaiveKernels
{
    /// <summary>A step at the output of a tower with CLS.</summary>
    public static int[] Select(Step step, float[] attention, float[] keys, float[] features, out float[]? weights)
    {
        weights = null;
        if (step.Kernel?.Name == "SparsityMeetsSimilarity")
        {
            double[][] all = Rows(features, attention.Length + 1);
            return NaiveInflection.Select(step, step.Score == Score.ClsSimilarity ? [.. all.Skip(1).Select(row => Cosine(all[0], row))] : [.. attention.Select(static score => (double)score)]);
        }

        if (step.Kernel?.Name == "FoPru")
        {
            int side = (int)step.Kernel.Arguments.Single().Value;
            double[] sums = [.. attention.Chunk(side).Select(static row => row.Sum(static score => (double)score))];
            return [.. Highest(sums, step.TokensAfter / side).SelectMany(row => Enumerable.Range(row * side, side))];
        }

        if (step.Compress == Compress.Drop)
        {
            Assert.Null(step.Kernel); // Else it needs lines here.
            return Highest([.. attention.Select(static score => (double)score)], step.TokensAfter);
        }

        if (step.Compress == Compress.AddNeighbours)
        {
            return NaivePruMerge.Select(step, attention, Rows(keys, attention.Length), out weights);
        }

        int contextual = (int)step.Kernel!.Arguments.Single().Value;
        int[] dominant = Highest([.. attention.Select(static score => (double)score)], step.TokensAfter - contextual - 1);
        int[] rest = [.. Enumerable.Range(0, attention.Length).Except(dominant)];
        int[] targets = contextual == 0 ? [] : [.. rest.Where((_, i) => i % Math.Max(1, rest.Length / contextual) == 0).Take(contextual)];
        int[] kept = [-1, .. dominant, .. targets];
        int columns = attention.Length + 1;
        weights = new float[kept.Length * columns];
        for (int row = 0; row < kept.Length; row++)
        {
            weights[(row * columns) + kept[row] + 1] = 1;
        }

        double[][] rows = Rows(keys, attention.Length);
        foreach (IGrouping<int, int> group in targets.Length == 0 ? [] : rest.Except(targets).GroupBy(patch => targets.MaxBy(target => Cosine(rows[patch], rows[target]))))
        {
            foreach (int patch in group)
            {
                weights[(Array.IndexOf(kept, group.Key) * columns) + patch + 1] = 1f / group.Count();
            }
        }

        return kept;
    }

    /// <summary>A step behind the projector.</summary>
    public static int[] Select(Step step, float[] projected, int tokens, int left, ReadOnlySpan<float> relevances)
    {
        double[][] rows = Rows(projected, tokens);
        return step.Kernel!.Name switch
        {
            "DivPrune" => Diverse(rows, left),
            "GPrune" => Highest(Propagated(rows, step.Kernel.Arguments), left),
            "CDPruner" => Relevant(rows, [.. relevances.ToArray().Select(static x => (double)x)], left),
            string other => throw new NotSupportedException($"Nobody told {other} a second time: it needs a line here."),
        };
    }

    /// <summary>CDPruner: relevances from 0 to 1, and the largest determinants.</summary>
    private static int[] Relevant(double[][] rows, double[] relevance, int left)
    {
        double range = relevance.Max() - relevance.Min();
        return NaiveDeterminants.Pick(rows, [.. relevance.Select(r => range > 0 ? (r - relevance.Min() + 1e-6) / range : 1)], left, Cosine);
    }

    /// <summary>DART: pivots, and what is least like them.</summary>
    public static int[] Pivots(Step step, float[] image, float[] text, float[] normed)
    {
        int Number(int argument) => (int)step.Kernel!.Arguments[argument].Value;
        double[][] rows = Rows(normed, normed.Length / Number(0));
        int each = (int)(image.Length * step.Kernel!.Arguments[3].Value / (Number(1) + Number(2)));
        int count = Math.Min(image.Length, Number(1) + (each * (Number(1) + Number(2))));
        int[] own = [.. Enumerable.Range(0, image.Length).OrderByDescending(i => image[i]).ThenBy(static i => i).Take(Number(1))];
        int[] pivots = [.. own, .. Enumerable.Range(0, text.Length).OrderByDescending(i => text[i]).ThenBy(static i => i).Take(Number(2)).Select(i => rows.Length - text.Length + i)];
        var kept = new HashSet<int>(own);
        for (int turn = 0; kept.Count < count; turn++)
        {
            double[] pivot = rows[pivots[turn % pivots.Length]];
            kept.UnionWith(Enumerable.Range(0, image.Length).Except(kept).OrderBy(i => Cosine(pivot, rows[i])).ThenBy(static i => i).Take(Math.Min(each, count - kept.Count)).ToArray());
        }

        return [.. kept.Order()];
    }

    /// <summary>AIM's merge behind the projector: clusters as lists of tokens.</summary>
    public static int[] Halve(Step step, float[] projected, int tokens, out float[] weights)
    {
        double[][] features = Rows(projected, tokens);
        bool relative = step.Kernel!.Arguments[1].Member == "AimOrder.Relative";

        // A cluster: the token that it stands for, and what it takes of each token.
        List<(int Token, Dictionary<int, float> Shares)> clusters = [.. Enumerable.Range(0, tokens).Select(static token => (token, new Dictionary<int, float> { [token] = 1 }))];
        for (int halving = 0; halving < (int)step.Kernel.Arguments[0].Value; halving++)
        {
            double[][] rows = [.. clusters.Select(cluster => features[0].Select((_, x) => cluster.Shares.Sum(share => share.Value * features[share.Key][x])).ToArray())];
            int[] odd = [.. Enumerable.Range(0, clusters.Count).Where(static i => i % 2 == 1)];
            (int From, int To, double Cosine)[] pairs = odd.Length == 0 ? [] : [.. Enumerable.Range(0, clusters.Count).Where(static i => i % 2 == 0)
                .Select(i => (i, odd.MaxBy(j => Cosine(rows[i], rows[j])))).Select(pair => (pair.i, pair.Item2, Cosine(rows[pair.i], rows[pair.Item2]))).OrderByDescending(static pair => pair.Item3).ThenBy(static pair => pair.i)];
            int[] alone = odd.Length == 0 ? [0] : [.. pairs.Skip(odd.Length).Select(static pair => pair.From)];
            int[] left = relative ? [.. alone.Concat(odd).Order()] : [.. alone, .. odd];
            clusters = [.. left.Select(row =>
            {
                int[] members = [row, .. pairs.Take(odd.Length).Where(pair => pair.To == row).Select(static pair => pair.From)];
                return (clusters[row].Token, members.SelectMany(member => clusters[member].Shares).ToDictionary(static share => share.Key, share => share.Value / members.Length));
            })];
        }

        weights = new float[clusters.Count * tokens];
        for (int row = 0; row < clusters.Count; row++)
        {
            foreach ((int token, float share) in clusters[row].Shares)
            {
                weights[(row * tokens) + token] = share;
            }
        }

        return [.. clusters.Select(static cluster => cluster.Token)];
    }

    /// <summary>What the kept rows of a merge take: each other token goes to the most similar kept one, which becomes the mean.</summary>
    public static float[] Average(float[] values, int tokens, int[] kept)
    {
        double[][] rows = Rows(values, tokens);
        var weights = new float[kept.Length * tokens];
        foreach (IGrouping<int, int> group in Enumerable.Range(0, tokens).GroupBy(token => Array.IndexOf(kept, token) is >= 0 and var own ? own : Array.IndexOf(kept, kept.MaxBy(target => Cosine(rows[token], rows[target])))))
        {
            foreach (int token in group)
            {
                weights[(group.Key * tokens) + token] = 1f / group.Count();
            }
        }

        return weights;
    }

    /// <summary>Writes a merge from its whole matrix, a row a token that stays, a column a token.</summary>
    public static void Fill(RowMerge merge, int[] kept, float[] weights)
    {
        int tokens = merge.Rows;
        int[] absorbed = [.. Enumerable.Range(0, tokens).Except(kept)];
        kept.CopyTo(merge.Kept);
        absorbed.CopyTo(merge.Absorbed);
        for (int row = 0; row < kept.Length; row++)
        {
            merge.Own[row] = weights[(row * tokens) + kept[row]];
            for (int i = 0; i < absorbed.Length; i++)
            {
                merge.Shares[(row * absorbed.Length) + i] = weights[(row * tokens) + absorbed[i]];
            }
        }
    }

    /// <summary>A step inside a decoder layer. The twin's loop must equal the other bit for bit, so the arithmetic is the kernel's; that it is right is the kernel tests' concern.</summary>
    public static void FiCoCoL(Step step, AttentionMap map, RowMerge merge)
    {
        double Number(string name) => step.Kernel!.Arguments.Single(argument => argument.Name == name).Value;
        string Member(string name) => step.Kernel!.Arguments.Single(argument => argument.Name == name).Member!.Split('.')[^1];
        Espalier.FiCoCoL.Select(map, Enum.Parse<FiCoCoMode>(Member("mode")), Enum.Parse<FiCoCoRedundancy>(Member("redundancy")), Number("beta"), Number("gamma"), Number("epsilon"), new float[2 * merge.Rows], merge);
    }

    private static int[] Diverse(double[][] rows, int count)
    {
        var picked = new List<int>();
        while (picked.Count < count)
        {
            // The first pick looks at all other tokens, if there are some, the others at what is picked.
            picked.Add(Enumerable.Range(0, rows.Length).Except(picked)
                .MaxBy(one => (picked.Count == 0 ? Enumerable.Range(0, rows.Length).Where(other => other != one) : picked).Select(other => 1 - Cosine(rows[one], rows[other])).DefaultIfEmpty().Min()));
        }

        return [.. picked.Order()];
    }

    private static double[] Propagated(double[][] rows, EquatableArray<KernelArgument> arguments)
    {
        double Number(string name) => arguments.Single(argument => argument.Name == name).Value;
        double[][] graph = Array.ConvertAll(rows, one => Array.ConvertAll(rows, other => Cosine(one, other) is var cosine && cosine >= Number("threshold") ? Math.Exp((cosine - 1) / Number("temperature")) : 0));
        graph = Array.ConvertAll(graph, static row => Array.ConvertAll(row, weight => weight / row.Sum()));
        double[] information = Array.ConvertAll(rows, static row => Math.Sqrt(row.Sum(static x => x * x)));
        for (int i = 0; i < Number("iterations"); i++)
        {
            information = [.. rows.Select((_, to) => rows.Select((_, from) => information[from] * graph[from][to]).Sum())];
        }

        return [.. information.Select((gathered, token) => gathered / graph[token].Count(static weight => weight > 0))];
    }

    public static int[] Highest(double[] scores, int count) =>
        [.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).ThenBy(static i => i).Take(count).Order()];

    private static double Cosine(double[] one, double[] other) =>
        one.Zip(other, static (a, b) => a * b).Sum() / Math.Sqrt(one.Sum(static x => x * x) * other.Sum(static x => x * x));

    private static double[][] Rows(float[] values, int count) =>
        [.. values.Chunk(values.Length / count).Select(static row => Array.ConvertAll(row, static x => (double)x))];
}
