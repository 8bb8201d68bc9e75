using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>The KV cache of one layer in native memory, as the sessions hold it: one buffer each, bound as past and as present.</summary>
internal sealed class TestCache(TextGeometry geometry, int capacity) : IDisposable
{
    public NativeTensor Key { get; } = NativeTensor.Of(new float[geometry.KeyValueWidth * capacity], 1, geometry.KeyValueHeads, capacity, geometry.HeadDim);

    public NativeTensor Value { get; } = NativeTensor.Of(new float[geometry.KeyValueWidth * capacity], 1, geometry.KeyValueHeads, capacity, geometry.HeadDim);

    public int Rows { get; set; }

    public void Dispose()
    {
        Key.Dispose();
        Value.Dispose();
    }

    /// <summary>Compares the rows in use with the reference, and expects the rows behind them to be untouched.</summary>
    public void AssertEqual(ReferenceCache expected)
    {
        Assert.Equal(expected.Keys.Count, Rows);
        AssertEqual(expected.Keys, Key.Floats);
        AssertEqual(expected.Values, Value.Floats);
    }

    private void AssertEqual(List<double[]> expected, ReadOnlySpan<float> actual)
    {
        for (int head = 0; head < geometry.KeyValueHeads; head++)
        {
            for (int row = 0; row < capacity; row++)
            {
                var wanted = row < Rows ? expected[row].AsSpan(head * geometry.HeadDim, geometry.HeadDim).ToArray() : new double[geometry.HeadDim];
                Reference.AssertClose(wanted, actual.Slice((head * capacity + row) * geometry.HeadDim, geometry.HeadDim));
            }
        }
    }
}

/// <summary>Runs one layer's graphs on caches.</summary>
internal sealed class LayerBench(TextGeometry geometry, int layer, LayerKind kind, IWeights weights) : IDisposable
{
    private readonly GraphSession _session = new(DecoderLayerGraph.Build(geometry, layer, kind, LinearFormat.Float32), weights);

    public void Dispose() => _session.Dispose();

    public float[] Run(double[][] x, long[] positions, TestCache cache) => Run(x, positions, cache, out _);

    public float[] Run(double[][] x, long[] positions, TestCache cache, out float[] score) => Run([], [], x, positions, cache, out score);

    /// <summary>Frozen kinds: visual rows, then text rows.</summary>
    public float[] Run(double[][] visual, long[] visualPositions, double[][] x, long[] positions, TestCache cache, out float[] score)
    {
        int start = cache.Rows;
        cache.Rows += visual.Length + x.Length;
        using var rows = NativeTensor.Of(Reference.Flatten(x), 1, x.Length, geometry.Hidden);
        using var at = NativeTensor.Of(positions, 1, positions.Length);
        using var last = NativeTensor.Of(cache.Rows - 1);
        using var total = NativeTensor.Of((int)cache.Key.Shape[2]);
        using var keyRows = NativeTensor.Of([(long)cache.Rows], 1);
        using var visualRows = NativeTensor.Of(Reference.Flatten(visual), 1, visual.Length, geometry.Hidden);
        using var visualAt = NativeTensor.Of(visualPositions, 1, visualPositions.Length);
        using var visualStart = NativeTensor.Of([(long)start], 1);
        using var y = NativeTensor.Empty(1, x.Length, geometry.Hidden);
        using var scores = NativeTensor.Empty(kind == LayerKind.PageRanked ? x.Length : cache.Rows);
        using var queryRows = NativeTensor.Of([(long)x.Length], 1);

        List<(string, NativeTensor)> inputs =
        [
            (GraphNames.X, rows), (GraphNames.Positions, at), (GraphNames.PastKey, cache.Key), (GraphNames.PastValue, cache.Value),
            (GraphNames.LastRow, last), (GraphNames.Total, total),
        ];
        List<(string, NativeTensor)> outputs = [(GraphNames.Y, y), (GraphNames.PresentKey, cache.Key), (GraphNames.PresentValue, cache.Value)];
        if (kind is LayerKind.Scored or LayerKind.FrozenScored or LayerKind.PageRanked)
        {
            inputs.Add((GraphNames.KeyRows, keyRows));
            outputs.Add((GraphNames.Score, scores));
        }

        if (kind == LayerKind.PageRanked)
        {
            inputs.Add((GraphNames.QueryRows, queryRows));
        }

        if (kind is LayerKind.Frozen or LayerKind.FrozenScored)
        {
            inputs.AddRange([(GraphNames.Visual, visualRows), (GraphNames.VisualPositions, visualAt), (GraphNames.VisualStart, visualStart)]);
            outputs.AddRange([(GraphNames.ScatteredKey, cache.Key), (GraphNames.ScatteredValue, cache.Value)]);
        }

        _session.Run([.. inputs], [.. outputs]);
        score = scores.Floats.ToArray();
        return y.Floats.ToArray();
    }
}
