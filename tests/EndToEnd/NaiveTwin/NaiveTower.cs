using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>The reductions inside a tower with CLS, told a second time in doubles, by sorting and without scratch. The kernel fills the merge; that it chose and weighed the same is asserted, so the loops stay equal bit for bit.</summary>
internal static class NaiveTower
{
    /// <summary>All layers of a tower that reduces.</summary>
    public static void Run(ImagePass pass, ReductionPlan plan)
    {
        pass.EmbedPatches();
        int layers = plan.Geometry.Vision.FeatureLayers;
        for (int layer = 0; layer < layers;)
        {
            Step? step = StepAt(plan, layer);
            if (plan.MergedTower?.Has(layer) == true)
            {
                int end = layer;
                while (plan.MergedTower.Has(end + 1))
                {
                    end++;
                }

                pass.RunMergedTowerLayers(layer, end);
                layer = end + 1;
                continue;
            }

            int ahead = step is { Tower.IsAhead: true } ? step.Tower.Ahead[layer - step.Tower.FirstLayer] : 0;
            if (ahead > 0)
            {
                pass.LookAhead(layer, layer + ahead - 1);
                RowMerge one = pass.BeginMerge(step!.Tower!.Leaving[layer - step.Tower.FirstLayer]);
                FillAhead(pass.ClsAttention.ToArray(), one);
                pass.MergeTower(one);
            }

            if (step is null || ahead > 0)
            {
                int last = layer;
                while (last + 1 < layers && IsWhole(plan, last + 1))
                {
                    last++;
                }

                pass.RunTowerLayers(layer, last);
                layer = last + 1;
                continue;
            }

            pass.RunTowerAttention(layer);
            RowMerge merge = pass.BeginMerge(step.Tower!.Leaving[layer - step.Tower.FirstLayer]);
            Fill(step, pass, merge, plan.Geometry.Vision.GridSize);
            pass.MergeTower(merge);
            pass.RunTowerFeedForward(layer);
            layer++;
        }
    }

    private static Step? StepAt(ReductionPlan plan, int layer) => plan.Steps.SingleOrDefault(step => step.Tower is { } tower && tower.FirstLayer <= layer && layer <= tower.LastLayer);

    private static bool IsWhole(ReductionPlan plan, int layer) => plan.MergedTower?.Has(layer) != true && (StepAt(plan, layer) is not { } step || (step.Tower!.IsAhead && step.Tower.Ahead[layer - step.Tower.FirstLayer] == 0));

    private static void FillAhead(float[] attention, RowMerge merge)
    {
        Elip.Select(attention, merge);
        int[] order = [.. Enumerable.Range(0, attention.Length).OrderByDescending(i => attention[i]).ThenBy(static i => i)];
        int stay = merge.Kept.Length - 1;
        Assert.Equal([.. order.Take(stay).Order(), order[stay]], merge.Kept.ToArray());
        double sum = order.Skip(stay).Sum(i => (double)attention[i]);
        Assert.Equal(attention[order[stay]] / sum, merge.Own[stay], 1e-5);
        for (int a = 0; a < merge.Absorbed.Length; a++)
        {
            Assert.Equal(attention[merge.Absorbed[a]] / sum, merge.Shares[(stay * merge.Absorbed.Length) + a], 1e-5);
        }
    }

    private static void Fill(Step step, ImagePass pass, RowMerge merge, int grid)
    {
        float[] before = pass.Sizes.ToArray();
        int[] tokens = pass.Tokens.ToArray();
        double[,] weights;
        int[] kept;
        if (step.Score == Score.KeySimilarity)
        {
            ToMe.Select(pass.TowerKeys, pass.Sizes, new float[3 * (tokens.Length + 2)], merge);
            (kept, weights) = Similar([.. pass.TowerKeys.ToArray().Chunk(pass.TowerKeys.Length / before.Length)], before, merge.Absorbed.Length);
        }
        else
        {
            double Number(string name) => step.Kernel!.Arguments.Single(argument => argument.Name == name).Value;
            string Member(string name) => step.Kernel!.Arguments.Single(argument => argument.Name == name).Member!.Split('.')[1];
            var mode = Enum.Parse<FiCoCoMode>(Member("mode"));
            var redundancy = Enum.Parse<FiCoCoRedundancy>(Member("redundancy"));
            FiCoCoV.Select(
                pass.AttentionMap, tokens, grid, mode, redundancy, Number("lambda"), Number("epsilon"), (int)Number("window"), Number("coefficient"), new float[3 * tokens.Length], merge);
            double[] redundancies = Redundancies(pass.AttentionMap.ToArray(), tokens, grid, redundancy, Number("lambda"), (int)Number("window"), Number("coefficient"));
            kept = [.. Enumerable.Range(0, tokens.Length).OrderByDescending(i => redundancies[i]).ThenBy(static i => i).Skip(merge.Absorbed.Length).Order()];
            weights = Correlated(pass.AttentionMap.ToArray(), tokens.Length, kept, mode, redundancy, Number("epsilon"));
        }

        Assert.Equal(kept, merge.Kept.ToArray());
        for (int k = 0; k < kept.Length; k++)
        {
            Assert.Equal(weights[k, kept[k]], merge.Own[k], 1e-4);
            for (int a = 0; a < merge.Absorbed.Length; a++)
            {
                Assert.Equal(weights[k, merge.Absorbed[a]], merge.Shares[(k * merge.Absorbed.Length) + a], 1e-4);
            }
        }
    }

    private static (int[] Kept, double[,] Weights) Similar(float[][] keys, float[] sizes, int count)
    {
        double Cosine(int one, int other) => keys[one].Zip(keys[other], static (a, b) => (double)a * b).Sum()
            / Math.Sqrt(keys[one].Sum(static x => (double)x * x) * keys[other].Sum(static x => (double)x * x));
        int[] odd = [.. Enumerable.Range(0, keys.Length).Where(static row => row % 2 == 1)];
        var pairs = new List<(int Row, int Target)>();
        if (count > 0)
        {
            pairs = [.. Enumerable.Range(0, keys.Length).Where(static row => row % 2 == 0 && row > 0).Select(row => (row, odd.MaxBy(target => Cosine(row, target)))).OrderByDescending(pair => Cosine(pair.row, pair.Item2)).Take(count)];
        }

        // Where nothing merges, nothing is put in order either.
        int[] kept = count == 0
            ? [.. Enumerable.Range(1, keys.Length - 1)]
            : [.. Enumerable.Range(1, keys.Length - 1).Where(row => row % 2 == 0 && pairs.TrueForAll(pair => pair.Row != row)), .. odd];
        var weights = new double[kept.Length, keys.Length - 1];
        for (int k = 0; k < kept.Length; k++)
        {
            int[] members = [kept[k], .. pairs.Where(pair => pair.Target == kept[k]).Select(static pair => pair.Row)];
            foreach (int member in members)
            {
                weights[k, member - 1] = sizes[member] / members.Sum(row => (double)sizes[row]);
            }
        }

        return ([.. kept.Select(static row => row - 1)], weights);
    }

    private static double[] Redundancies(float[] map, int[] tokens, int grid, FiCoCoRedundancy redundancy, double lambda, int window, double coefficient)
    {
        int n = tokens.Length;
        double At(int row, int column) => map[((row + 1) * (n + 1)) + column + 1];
        double[] likeness = [.. tokens.Select((_, i) => Enumerable.Range(0, n).Average(j => redundancy == FiCoCoRedundancy.SoftmaxColumns ? At(j, i) : At(i, j)))];
        double[] information = [.. tokens.Select((_, i) => At(-1, i))];
        if (redundancy == FiCoCoRedundancy.RawLogits)
        {
            likeness = Unit(likeness);
            information = Unit(information);
        }

        double[] result = [.. likeness.Zip(information, (a, b) => (lambda * a) - ((1 - lambda) * b))];
        foreach (IGrouping<(int, int), int> cell in Enumerable.Range(0, n).GroupBy(i => (tokens[i] / grid / window, tokens[i] % grid / window)).ToList())
        {
            int worst = cell.MaxBy(i => result[i]);
            result[worst] = result[worst] > 0 ? result[worst] * coefficient : result[worst] / coefficient;
        }

        return result;
    }

    private static double[,] Correlated(float[] map, int n, int[] kept, FiCoCoMode mode, FiCoCoRedundancy redundancy, double epsilon)
    {
        var weights = new double[kept.Length, n];
        for (int k = 0; k < kept.Length; k++)
        {
            weights[k, kept[k]] = 1;
        }

        foreach (int leaving in Enumerable.Range(0, n).Except(kept))
        {
            double[] whole = [.. map.AsSpan((leaving + 1) * (n + 1), n + 1).ToArray().Select(x => redundancy == FiCoCoRedundancy.RawLogits ? Math.Exp(x) : x)];
            double[] row = [.. kept.Select(token => whole[token + 1])];
            int count = mode == FiCoCoMode.Paper
                ? row.Count(x => x >= Quantile(row, epsilon))
                : Math.Clamp(whole.Count(x => x > Quantile(whole, epsilon)), 1, row.Length);
            int[] targets = [.. Enumerable.Range(0, row.Length).OrderByDescending(k => row[k]).Take(count)];
            foreach (int k in targets)
            {
                weights[k, leaving] = row[k] / targets.Sum(target => row[target]);
            }
        }

        for (int k = 0; k < kept.Length; k++)
        {
            double sum = Enumerable.Range(0, n).Sum(i => weights[k, i]);
            for (int i = 0; i < n; i++)
            {
                weights[k, i] /= sum;
            }
        }

        return weights;
    }

    private static double Quantile(double[] values, double epsilon)
    {
        double[] sorted = [.. values.Order()];
        double place = epsilon * (values.Length - 1);
        double low = sorted[(int)place];
        return low + ((place - (int)place) * (sorted[Math.Min((int)place + 1, sorted.Length - 1)] - low));
    }

    private static double[] Unit(double[] values) => Array.ConvertAll(values, x => x / Math.Sqrt(values.Sum(static y => y * y)));
}
