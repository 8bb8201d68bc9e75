namespace Espalier.Tests;

/// <summary>CDPruner's greedy choice by Gaussian elimination: after a pick, what its row explains of the others is taken out of the whole matrix.</summary>
internal static class NaiveDeterminants
{
    public static int[] Pick(double[][] rows, double[] relevance, int count, Func<double[], double[], double> cosine)
    {
        double[][] kernel = [.. rows.Select((one, i) => rows.Select((other, j) => relevance[i] * cosine(one, other) * relevance[j]).ToArray())];
        var picks = new List<int>();
        while (picks.Count < count)
        {
            int pick = Enumerable.Range(0, rows.Length).Except(picks).MaxBy(i => kernel[i][i]);
            picks.Add(pick);
            double[] row = [.. kernel[pick]];
            for (int i = 0; i < rows.Length; i++)
            {
                double share = row[i] / row[pick];
                for (int j = 0; j < rows.Length; j++)
                {
                    kernel[i][j] -= share * row[j];
                }
            }
        }

        return [.. picks.Order()];
    }
}
