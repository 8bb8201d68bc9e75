using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>The original code of FastV keeps all rows and masks the columns of those that lost; here the rows leave. What stays is the same.</summary>
public sealed class FastVMaskTests
{
    private const int Prefix = 3;
    private const int Visual = 11;
    private const int Text = 4;
    private const int Kept = 5;

    public static TheoryData<string> Geometries => TestGeometries.TextNames;

    [Theory]
    [MemberData(nameof(Geometries))]
    public void RowsThatLeaveAndColumnsThatAreMaskedGiveTheSameRows(string name)
    {
        TextGeometry geometry = TestGeometries.Text(name);
        var weights = new TestWeights(31, geometry);
        double[][] rows = Reference.RandomRows(new Random(32), Prefix + Visual + Text, geometry.Hidden);
        (double[][] masked, int[] kept) = ByMasks(geometry, weights, rows);
        (float[] dropped, int[] left) = ByDropping(geometry, weights, rows);

        Assert.Equal(kept, left);
        int[] survivors = [.. Enumerable.Range(0, Prefix), .. kept.Select(static token => Prefix + token), .. Enumerable.Range(Prefix + Visual, Text)];
        Reference.AssertClose([.. survivors.Select(row => masked[row])], dropped, 1e-4);

        // The rows that lost do matter: without the mask the others would be other rows.
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Reference.AssertClose([.. survivors.Select(row => Unmasked(geometry, weights, rows)[row])], dropped, 1e-4));
    }

    /// <summary>All rows in all layers, in doubles; from layer 1 on nobody reads the visual rows that lost.</summary>
    private static (double[][] Rows, int[] Kept) ByMasks(TextGeometry geometry, TestWeights weights, double[][] rows)
    {
        var reference = new ReferenceDecoder(geometry, weights);
        double[][] x = reference.Layer(0, rows, Positions(rows.Length), new ReferenceCache(), out double[] score);
        int[] kept = Highest(score);
        for (int layer = 1; layer < geometry.Layers; layer++)
        {
            ReferenceLess less = ReferenceLess.Nothing with { Masks = key => key is >= Prefix and < Prefix + Visual && !kept.Contains(key - Prefix) };
            x = reference.Layer(layer, x, Positions(rows.Length), new ReferenceCache(), less, out _);
        }

        return (x, kept);
    }

    private static double[][] Unmasked(TextGeometry geometry, TestWeights weights, double[][] rows)
    {
        var reference = new ReferenceDecoder(geometry, weights);
        return Enumerable.Range(0, geometry.Layers).Aggregate(rows, (x, layer) => reference.Layer(layer, x, Positions(rows.Length), new ReferenceCache()));
    }

    /// <summary>The graphs that the runtime runs, on the rows that are left, at the positions that they had.</summary>
    private static (float[] Rows, int[] Kept) ByDropping(TextGeometry geometry, TestWeights weights, double[][] rows)
    {
        double[][] x = rows;
        long[] positions = Positions(rows.Length);
        int[] kept = [];
        for (int layer = 0; layer < geometry.Layers; layer++)
        {
            using var bench = new LayerBench(geometry, layer, layer == 0 ? LayerKind.Scored : LayerKind.Dense, weights);
            using var cache = new TestCache(geometry, x.Length);
            x = [.. bench.Run(x, positions, cache, out float[] score).Chunk(geometry.Hidden).Select(Reference.ToDoubles)];
            if (layer == 0)
            {
                kept = Highest(Reference.ToDoubles(score));
                int[] stay = [.. Enumerable.Range(0, rows.Length).Where(row => row is < Prefix or >= Prefix + Visual || kept.Contains(row - Prefix))];
                x = Array.ConvertAll(stay, row => x[row]);
                positions = Array.ConvertAll(stay, static row => (long)row);
            }
        }

        return (Reference.Flatten(x), kept);
    }

    private static int[] Highest(double[] score)
    {
        var kept = new int[Kept];
        TokenSelection.TopK([.. score[Prefix..(Prefix + Visual)].Select(static x => (float)x)], kept);
        return kept;
    }

    private static long[] Positions(int rows) => [.. Enumerable.Range(0, rows).Select(static row => (long)row)];
}
