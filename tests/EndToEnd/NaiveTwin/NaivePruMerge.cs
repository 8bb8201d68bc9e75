using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>PruMerge and PruMerge+, told a second time by sorting and without scratch.</summary>
internal static class NaivePruMerge
{
    public static int[] Select(Step step, float[] scores, double[][] keys, out float[] weights)
    {
        int patches = scores.Length;
        double[] sorted = [.. scores.Select(static score => (double)score).Order()];
        double Quantile(double share) => sorted[(int)(share * (patches - 1))] + ((share * (patches - 1) % 1) * (sorted[Math.Min(patches - 1, (int)(share * (patches - 1)) + 1)] - sorted[(int)(share * (patches - 1))]));
        double threshold = Quantile(0.75) + (1.5 * (Quantile(0.75) - Quantile(0.25)));
        List<int> kept = [.. Enumerable.Range(0, patches).OrderByDescending(i => scores[i]).ThenBy(static i => i).Take(Math.Max(1, scores.Count(score => score > threshold)))];
        if (step.Kernel!.Name == "PruMergePlus")
        {
            int distance = Math.Max(1, patches / kept.Count / 3);
            kept.AddRange(Enumerable.Range(0, patches - 1).Where(i => i % distance == 0).Except(kept).Take(patches - 1 - kept.Count).ToArray());
        }

        int columns = patches + 1;
        weights = new float[(kept.Count + 1) * columns];
        for (int row = 0; row < kept.Count; row++)
        {
            weights[(row * columns) + kept[row] + 1] = 1;
            int one = kept[row];
            double Cosine(int other) => keys[one].Zip(keys[other], static (a, b) => a * b).Sum() / Math.Sqrt(keys[other].Sum(static x => x * x));
            foreach (int other in Enumerable.Range(0, patches).Where(other => other != one).OrderByDescending(Cosine).Take((int)step.Kernel.Arguments.Single().Value))
            {
                weights[(row * columns) + other + 1] = scores[other];
            }
        }

        foreach (int other in Enumerable.Range(0, patches).Except(kept))
        {
            weights[(kept.Count * columns) + other + 1] = scores[other];
        }

        return [.. kept, -2];
    }
}
