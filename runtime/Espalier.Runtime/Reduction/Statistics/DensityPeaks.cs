using System.Numerics.Tensors;

namespace Espalier;

/// <summary>Clusters around density peaks (Rodriguez and Laio, Science 2014), with the density of the nearest neighbours (DPC-kNN), as SparseVLM's code has it but for its noise.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation. Of two equally dense rows the first counts as denser, of equal peaks and of equal distances the first is taken. Thread-safe.</remarks>
internal static class DensityPeaks
{
    /// <summary>Clusters some rows. There are as many clusters as neighbours that a density looks at, the row itself among them.</summary>
    /// <param name="rows">All rows, one after the other.</param>
    /// <param name="width">Elements of a row.</param>
    /// <param name="pool">The rows that are clustered.</param>
    /// <param name="scratch">The square of their number, and two floats for each.</param>
    /// <param name="members">Receives the cluster of each row of the pool.</param>
    /// <param name="centres">Receives the centre of each cluster, a number of the pool; its length is the number of clusters. The strongest peak comes first.</param>
    public static void Cluster(ReadOnlySpan<float> rows, int width, ReadOnlySpan<int> pool, Span<float> scratch, Span<int> members, Span<int> centres)
    {
        int count = pool.Length;
        Span<float> distances = scratch[..(count * count)];
        Span<float> density = scratch.Slice(count * count, count);
        Span<float> peak = scratch.Slice((count * count) + count, count);
        float farthest = Distances(rows, width, pool, distances);
        for (int i = 0; i < count; i++)
        {
            density[i] = Density(distances.Slice(i * count, count), peak[..centres.Length]);
        }

        for (int i = 0; i < count; i++)
        {
            peak[i] = ToDenser(distances.Slice(i * count, count), density, i, farthest) * density[i];
        }

        members.Fill(-1);
        for (int cluster = 0; cluster < centres.Length; cluster++)
        {
            centres[cluster] = Strongest(peak, members);
            members[centres[cluster]] = cluster;
        }

        for (int i = 0; i < count; i++)
        {
            members[i] = members[i] >= 0 ? members[i] : Nearest(distances.Slice(i * count, count), centres);
        }
    }

    /// <summary>Euclidean distances, divided by the square root of the width; returns the largest.</summary>
    private static float Distances(ReadOnlySpan<float> rows, int width, ReadOnlySpan<int> pool, Span<float> distances)
    {
        float farthest = 0;
        float scale = MathF.Sqrt(width);
        for (int i = 0; i < pool.Length; i++)
        {
            distances[(i * pool.Length) + i] = 0;
            for (int j = 0; j < i; j++)
            {
                float distance = TensorPrimitives.Distance(rows.Slice(pool[i] * width, width), rows.Slice(pool[j] * width, width)) / scale;
                distances[(i * pool.Length) + j] = distance;
                distances[(j * pool.Length) + i] = distance;
                farthest = MathF.Max(farthest, distance);
            }
        }

        return farthest;
    }

    /// <summary>The exponential of minus the mean square of the smallest distances, as many as <paramref name="smallest"/> holds.</summary>
    private static float Density(ReadOnlySpan<float> distances, Span<float> smallest)
    {
        int found = 0;
        foreach (float distance in distances)
        {
            if (found == smallest.Length && !(distance < smallest[^1]))
            {
                continue;
            }

            int place = found < smallest.Length ? found++ : found - 1;
            for (; place > 0 && smallest[place - 1] > distance; place--)
            {
                smallest[place] = smallest[place - 1];
            }

            smallest[place] = distance;
        }

        return MathF.Exp(-TensorPrimitives.SumOfSquares<float>(smallest) / smallest.Length);
    }

    private static float ToDenser(ReadOnlySpan<float> distances, ReadOnlySpan<float> density, int row, float farthest)
    {
        float nearest = farthest;
        for (int other = 0; other < distances.Length; other++)
        {
            if (density[other] > density[row] || (density[other] == density[row] && other < row))
            {
                nearest = MathF.Min(nearest, distances[other]);
            }
        }

        return nearest;
    }

    /// <summary>The highest peak that is no centre yet.</summary>
    private static int Strongest(ReadOnlySpan<float> peaks, ReadOnlySpan<int> members)
    {
        int strongest = -1;
        for (int i = 0; i < peaks.Length; i++)
        {
            if (members[i] < 0 && (strongest < 0 || peaks[i] > peaks[strongest]))
            {
                strongest = i;
            }
        }

        return strongest;
    }

    private static int Nearest(ReadOnlySpan<float> distances, ReadOnlySpan<int> centres)
    {
        int nearest = 0;
        for (int cluster = 1; cluster < centres.Length; cluster++)
        {
            nearest = distances[centres[cluster]] < distances[centres[nearest]] ? cluster : nearest;
        }

        return nearest;
    }
}
