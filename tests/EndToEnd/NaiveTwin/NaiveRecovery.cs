using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>Recoverable Compression, told a second time by sets and sorting and without scratch.</summary>
internal static class NaiveRecovery
{
    public static int[] Select(Step step, float[] scores, float[] keys, float[] text, out float[] weights)
    {
        int patches = scores.Length;
        double Number(string name) => step.Kernel!.Arguments.Single(argument => argument.Name == name).Value;
        double[][] rows = [.. keys.Chunk(keys.Length / patches).Select(static row => Array.ConvertAll(row, static x => (double)x))];
        double[] attention = Array.ConvertAll(scores, static x => (double)x);
        double[] related = [.. text.Select(x => x / Math.Sqrt(rows[0].Length))];
        int[] main =
        [
            .. NaiveKernels.Highest(attention, Math.Max(1, NaiveInflection.Head(step, attention)))
                .Union(NaiveKernels.Highest(related, NaiveInflection.Head(step, related))).Order(),
        ];
        int[] others = [.. Enumerable.Range(0, patches).Except(main)];
        double[] rest = [.. others.Select(patch => attention[patch])];
        int[] centres = rest.Length == 0 ? [] : [.. NaiveKernels.Highest(rest, NaiveInflection.Head(step, rest)).Select(i => others[i])];
        int[] left = [.. others.Except(centres)];
        int[] kept = left.Length == 0 ? [.. main, .. centres] : [.. main, .. centres, -2];

        int columns = patches + 1;
        weights = new float[kept.Length * columns];
        for (int row = 0; row < kept.Length; row++)
        {
            int one = kept[row];
            double Near(int other) =>
                (rows[one].Zip(rows[other], static (a, b) => a * b).Sum() / Math.Sqrt(rows[one].Sum(static x => x * x) * rows[other].Sum(static x => x * x))) + (Number("textWeight") * related[other]);
            int[] taken = one == -2 ? left
                : row < main.Length ? []
                : [.. others.Where(other => other != one).OrderByDescending(Near).ThenBy(static other => other).Take((int)Number("neighbours"))];
            foreach (int other in taken)
            {
                weights[(row * columns) + other + 1] = scores[other];
            }

            if (one >= 0)
            {
                weights[(row * columns) + one + 1] = 1;
            }
        }

        return kept;
    }
}
