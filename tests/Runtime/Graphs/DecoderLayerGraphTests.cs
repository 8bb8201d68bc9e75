using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.Planning;
using Espalier.Tests.Graphs.Onnx;

namespace Espalier.Tests.Graphs;

/// <summary>The graphs of one decoder layer, on the real library, against plain arithmetic in doubles.</summary>
public sealed class DecoderLayerGraphTests
{
    // Gaps as pruning leaves them: rows keep the positions that they had in the whole sequence.
    private static readonly long[] PrefixPositions = [0, 1, 2, 3];
    private static readonly long[] VisualPositions = [4, 6, 7, 11, 19];
    private static readonly long[] TextPositions = [30, 31, 32];

    public static TheoryData<string> Geometries => TestGeometries.TextNames;

    [Theory]
    [MemberData(nameof(Geometries))]
    public void DenseMatchesReferenceInPrefillBehindAPrefixAndInDecode(string name)
    {
        var (geometry, random) = (TestGeometries.Text(name), new Random(1));
        var weights = new TestWeights(11, geometry);
        var (reference, expected) = (new ReferenceDecoder(geometry, weights), new ReferenceCache());
        using var bench = new LayerBench(geometry, 1, LayerKind.Dense, weights);
        using var cache = new TestCache(geometry, 20);

        foreach (long[] positions in new[] { PrefixPositions, VisualPositions, TextPositions, [40], [41] })
        {
            var x = Reference.RandomRows(random, positions.Length, geometry.Hidden);
            float[] y = bench.Run(x, positions, cache);
            Reference.AssertClose(reference.Layer(1, x, positions, expected), y);
            cache.AssertEqual(expected);
        }
    }

    [Theory]
    [MemberData(nameof(Geometries))]
    public void DenseFillsTheCacheToItsLastRow(string name)
    {
        var (geometry, random) = (TestGeometries.Text(name), new Random(2));
        var weights = new TestWeights(12, geometry);
        var (reference, expected) = (new ReferenceDecoder(geometry, weights), new ReferenceCache());
        using var bench = new LayerBench(geometry, 0, LayerKind.Dense, weights);

        // The whole capacity in one run: past 0 and total = new rows, which the operator calls a first prompt.
        using var full = new TestCache(geometry, VisualPositions.Length);
        var x = Reference.RandomRows(random, VisualPositions.Length, geometry.Hidden);
        Reference.AssertClose(reference.Layer(0, x, VisualPositions, expected), bench.Run(x, VisualPositions, full));
        full.AssertEqual(expected);

        // The last row by a decode step.
        expected = new ReferenceCache();
        using var stepped = new TestCache(geometry, VisualPositions.Length + 1);
        Reference.AssertClose(reference.Layer(0, x, VisualPositions, expected), bench.Run(x, VisualPositions, stepped));
        var next = Reference.RandomRows(random, 1, geometry.Hidden);
        Reference.AssertClose(reference.Layer(0, next, [63], expected), bench.Run(next, [63], stepped));
        stepped.AssertEqual(expected);
    }

    [Theory]
    [MemberData(nameof(Geometries))]
    public void ScoreIsTheAttentionOfTheLastRowToEveryCacheRow(string name)
    {
        var (geometry, random) = (TestGeometries.Text(name), new Random(3));
        var weights = new TestWeights(13, geometry);
        var (reference, expected) = (new ReferenceDecoder(geometry, weights), new ReferenceCache());
        using var bench = new LayerBench(geometry, 1, LayerKind.Scored, weights);
        using var cache = new TestCache(geometry, 20);

        foreach (long[] positions in new[] { PrefixPositions, [.. VisualPositions, .. TextPositions], [40] })
        {
            var x = Reference.RandomRows(random, positions.Length, geometry.Hidden);
            var y = reference.Layer(1, x, positions, expected, out double[] wanted);
            Reference.AssertClose(y, bench.Run(x, positions, cache, out float[] score));
            Assert.Equal(cache.Rows, score.Length);
            Assert.Equal(1, score.Sum(), 1e-5);
            Reference.AssertClose(wanted, score, 1e-5);
            cache.AssertEqual(expected);
        }
    }

    [Theory]
    [MemberData(nameof(Geometries))]
    public void FrozenLetsTextReadVisualRowsThatAreNotUpdated(string name)
    {
        var (geometry, random) = (TestGeometries.Text(name), new Random(4));
        var weights = new TestWeights(14, geometry);
        var (reference, expected) = (new ReferenceDecoder(geometry, weights), new ReferenceCache());
        using var dense = new LayerBench(geometry, 1, LayerKind.Dense, weights);
        using var cache = new TestCache(geometry, 20);

        var prefix = Reference.RandomRows(random, PrefixPositions.Length, geometry.Hidden);
        var visual = Reference.RandomRows(random, VisualPositions.Length, geometry.Hidden);
        var text = Reference.RandomRows(random, TextPositions.Length, geometry.Hidden);
        reference.Layer(1, prefix, PrefixPositions, expected);
        reference.Freeze(1, visual, VisualPositions, expected);
        var wanted = reference.Layer(1, text, TextPositions, expected, out double[] wantedScore);

        dense.Run(prefix, PrefixPositions, cache);
        using (var frozen = new LayerBench(geometry, 1, LayerKind.FrozenScored, weights))
        {
            Reference.AssertClose(wanted, frozen.Run(visual, VisualPositions, text, TextPositions, cache, out float[] score));
            Reference.AssertClose(wantedScore, score, 1e-5);
            cache.AssertEqual(expected);
        }

        // Decode goes on with the dense graph over the same cache.
        var next = Reference.RandomRows(random, 1, geometry.Hidden);
        Reference.AssertClose(reference.Layer(1, next, [50], expected), dense.Run(next, [50], cache));
        cache.AssertEqual(expected);
    }

    [Theory]
    [MemberData(nameof(Geometries))]
    public void FrozenTextEqualsDenseTextBitForBit(string name)
    {
        var (geometry, random) = (TestGeometries.Text(name), new Random(5));
        var weights = new TestWeights(15, geometry);
        var visual = Reference.RandomRows(random, VisualPositions.Length, geometry.Hidden);
        var text = Reference.RandomRows(random, TextPositions.Length, geometry.Hidden);

        // In one layer the visual rows' keys and values do not depend on whether the rows are updated.
        using var dense = new LayerBench(geometry, 0, LayerKind.Dense, weights);
        using var frozen = new LayerBench(geometry, 0, LayerKind.Frozen, weights);
        using var denseCache = new TestCache(geometry, 20);
        using var frozenCache = new TestCache(geometry, 20);
        dense.Run(visual, VisualPositions, denseCache);
        float[] y = dense.Run(text, TextPositions, denseCache);

        Assert.Equal(y, frozen.Run(visual, VisualPositions, text, TextPositions, frozenCache, out _));
        Assert.Equal(denseCache.Key.Floats, frozenCache.Key.Floats);
        Assert.Equal(denseCache.Value.Floats, frozenCache.Value.Floats);
    }

    [Fact]
    public void AllKindsReadTheSameWeights()
    {
        var weights = Enum.GetValues<LayerKind>()
            .Select(kind => Weights(kind, LinearFormat.Float32).OrderBy(use => use.Name, StringComparer.Ordinal).Select(Describe).ToArray())
            .ToArray();

        Assert.All(weights, kind => Assert.Equal(weights[0], kind));
        Assert.Equal(
            [
                "language_model.layers.1.input_layernorm.weight [40]",
                "language_model.layers.1.mlp.down_proj.weight [40,72]",
                "language_model.layers.1.mlp.gate_proj.weight [72,40]",
                "language_model.layers.1.mlp.up_proj.weight [72,40]",
                "language_model.layers.1.post_attention_layernorm.weight [40]",
                "language_model.layers.1.self_attn.k_proj.bias [16]",
                "language_model.layers.1.self_attn.k_proj.weight [16,40]",
                "language_model.layers.1.self_attn.o_proj.weight [40,64]",
                "language_model.layers.1.self_attn.q_proj.bias [64]",
                "language_model.layers.1.self_attn.q_proj.weight [64,40]",
                "language_model.layers.1.self_attn.v_proj.bias [16]",
                "language_model.layers.1.self_attn.v_proj.weight [16,40]",
                "rope.cos [64,4]",
                "rope.sin [64,4]",
            ],
            weights[0]);

        static string Describe(WeightUse use) => $"{use.Name} [{string.Join(',', use.Shape)}]";
    }

    [Fact]
    public void AllKindsReadTheSameQuantisedWeights()
    {
        foreach (QuantisedFormat format in new QuantisedFormat[] { Int8PerToken.Signed, Int4Blocks.Instance })
        {
            foreach (LayerKind kind in Enum.GetValues<LayerKind>())
            {
                WeightUse[] weights = [.. Weights(kind, format)];
                Assert.Equal(7, weights.Count(use => use.Name.EndsWith("." + format.Name, StringComparison.Ordinal)));
                Assert.Equal(7, weights.Count(use => use.Name.EndsWith("." + format.Name + ".scale", StringComparison.Ordinal)));

                // Nothing else but norms, biases and angles.
                Assert.Equal(14 + 2 + 3 + 2, weights.Length);
            }
        }
    }

    /// <summary>The weights of a kind; those of both halves, if it has two.</summary>
    private static IEnumerable<WeightUse> Weights(LayerKind kind, LinearFormat format)
    {
        IEnumerable<WeightUse> weights = DecoderLayerGraph.Build(TestGeometries.Qwen2, 1, kind, format, kind.IsPartial() ? new PartialWork(VisualReach.Preceding, Distance: 3) : null).Weights;
        return kind.IsHalved() ? weights.Concat(DecoderLayerGraph.BuildFeedForward(TestGeometries.Qwen2, 1, format).Weights) : weights;
    }

    [Theory]
    [MemberData(nameof(Geometries))]
    public void TheHalvesTogetherAreTheLayer(string name)
    {
        HalvesAreTheLayer(name, LayerKind.Halved);
        HalvesAreTheLayer(name, LayerKind.HalvedSoftmax);
    }

    private static void HalvesAreTheLayer(string name, LayerKind kind)
    {
        var (geometry, random) = (TestGeometries.Text(name), new Random(8));
        var weights = new TestWeights(18, geometry);
        var (reference, expected) = (new ReferenceDecoder(geometry, weights), new ReferenceCache());
        using var first = new GraphSession(DecoderLayerGraph.Build(geometry, 1, kind, LinearFormat.Float32), weights);
        using var second = new GraphSession(DecoderLayerGraph.BuildFeedForward(geometry, 1, LinearFormat.Float32), weights);
        using var cache = new TestCache(geometry, 20);
        foreach (long[] positions in new[] { PrefixPositions, [.. VisualPositions, .. TextPositions] })
        {
            var x = Reference.RandomRows(random, positions.Length, geometry.Hidden);
            cache.Rows += x.Length;
            using var rows = NativeTensor.Of(Reference.Flatten(x), 1, x.Length, geometry.Hidden);
            using var at = NativeTensor.Of(positions, 1, positions.Length);
            using var last = NativeTensor.Of(cache.Rows - 1);
            using var total = NativeTensor.Of(20);
            using var keyRows = NativeTensor.Of([(long)cache.Rows], 1);
            using var between = NativeTensor.Empty(1, x.Length, geometry.Hidden);
            using var map = NativeTensor.Empty(1, x.Length, cache.Rows);
            using var y = NativeTensor.Empty(1, x.Length, geometry.Hidden);
            first.Run(
                [(GraphNames.X, rows), (GraphNames.Positions, at), (GraphNames.PastKey, cache.Key), (GraphNames.PastValue, cache.Value), (GraphNames.LastRow, last), (GraphNames.Total, total), (GraphNames.KeyRows, keyRows)],
                [(GraphNames.Y, between), (GraphNames.PresentKey, cache.Key), (GraphNames.PresentValue, cache.Value), (GraphNames.Map, map)]);
            second.Run([(GraphNames.X, between)], [(GraphNames.Y, y)]);
            Reference.AssertClose(reference.Layer(1, x, positions, expected), y.Floats.ToArray());
            cache.AssertEqual(expected);
            Assert.All(map.Floats.ToArray(), static product => Assert.True(float.IsFinite(product)));
            if (kind == LayerKind.HalvedSoftmax)
            {
                // Every row reads all rows, those behind it too.
                Assert.All(map.Floats.ToArray(), static share => Assert.True(share > 0));
                Assert.All(map.Floats.ToArray().Chunk(cache.Rows), static row => Assert.Equal(1, row.Sum(), 1e-5));
            }
        }
    }

    [Fact]
    public void RowsAreScaledOnceForAllLayersThatReadThem()
    {
        var nodes = ModelProto.Parser.ParseFrom(DecoderLayerGraph.Build(TestGeometries.Qwen2, 1, LayerKind.Dense, Int8PerToken.Signed).Bytes).Graph.Node;

        // Queries, keys and values read one input, gate and up another.
        Assert.Equal(4, nodes.Count(node => node.OpType == "ReduceMax"));
        Assert.Equal(4, nodes.Count(node => node.OpType == "QuantizeLinear"));
        Assert.Equal(7, nodes.Count(node => node.OpType == "MatMulIntegerToFloat"));
    }

    [Theory]
    [InlineData(7, 1, 12, "head_dim (12)")]
    [InlineData(7, 2, 8, "num_key_value_heads (2)")]
    [InlineData(7, 0, 8, "num_key_value_heads (0)")]
    public void ShapesWithoutAKernelAreNamed(int heads, int keyValueHeads, int headDim, string part)
    {
        var geometry = TestGeometries.Llama with { Heads = heads, KeyValueHeads = keyValueHeads, HeadDim = headDim };
        var error = Assert.Throws<UnsupportedGeometryException>(() => DecoderLayerGraph.Build(geometry, 0, LayerKind.Dense, LinearFormat.Float32));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }
}
