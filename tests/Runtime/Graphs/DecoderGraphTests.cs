using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>The head, the row graphs and the whole decoder in one graph, on the real library.</summary>
public sealed class DecoderGraphTests
{
    private const string TiedHead = "language_model.embed_tokens.weight";

    public static TheoryData<string> Geometries => TestGeometries.TextNames;

    [Theory]
    [InlineData("lm_head.weight")]
    [InlineData(TiedHead)]
    public void HeadProjectsTheRowThatIsAskedFor(string weight)
    {
        var geometry = TestGeometries.Qwen2;
        var weights = new TestWeights(31);
        var rows = Reference.RandomRows(new Random(8), 4, geometry.Hidden);
        using var session = new GraphSession(HeadGraph.Build(geometry, weight, LinearFormat.Float32), weights);
        using var x = NativeTensor.Of(Reference.Flatten(rows), 1, rows.Length, geometry.Hidden);
        using var logits = NativeTensor.Empty(1, 1, geometry.Vocabulary);

        for (int row = 0; row < rows.Length; row++)
        {
            using var index = NativeTensor.Of([(long)row], 1);
            session.Run([(GraphNames.X, x), (GraphNames.Row, index)], [(GraphNames.Logits, logits)]);
            Reference.AssertClose(new ReferenceDecoder(geometry, weights).Logits(rows[row], weight), logits.Floats);
        }
    }

    [Fact]
    public void GatherKeepsRowsInTheOrderThatIsAskedFor()
    {
        var geometry = TestGeometries.Llama;
        var rows = Reference.RandomRows(new Random(9), 6, geometry.Hidden);
        using var session = new GraphSession(RowGraphs.Gather(geometry.Hidden), new TestWeights(0));
        using var x = NativeTensor.Of(Reference.Flatten(rows), 1, rows.Length, geometry.Hidden);

        foreach (long[] kept in new long[][] { [0, 2, 5], [3], [5, 4, 4, 0] })
        {
            using var indices = NativeTensor.Of(kept, kept.Length);
            using var y = NativeTensor.Empty(1, kept.Length, geometry.Hidden);
            session.Run([(GraphNames.X, x), (GraphNames.Rows, indices)], [(GraphNames.Y, y)]);
            Assert.Equal(Reference.Flatten(Array.ConvertAll(kept, row => rows[row])), y.Floats);
        }
    }

    [Theory]
    [InlineData(4, 2)]
    [InlineData(1, 5)]
    [InlineData(0, 6)]
    [InlineData(6, 0)]
    public void JoinUndoesPart(int visualRows, int textRows)
    {
        var geometry = TestGeometries.Llama;
        var rows = Reference.RandomRows(new Random(10), visualRows + textRows, geometry.Hidden);
        using var part = new GraphSession(RowGraphs.Part(geometry), new TestWeights(0));
        using var join = new GraphSession(RowGraphs.Join(geometry), new TestWeights(0));
        using var x = NativeTensor.Of(Reference.Flatten(rows), 1, rows.Length, geometry.Hidden);
        using var sizes = NativeTensor.Of([visualRows, textRows], 2);
        using var visual = NativeTensor.Empty(1, visualRows, geometry.Hidden);
        using var text = NativeTensor.Empty(1, textRows, geometry.Hidden);
        using var y = NativeTensor.Empty(1, rows.Length, geometry.Hidden);

        part.Run([(GraphNames.X, x), (GraphNames.Sizes, sizes)], [(GraphNames.Visual, visual), (GraphNames.Text, text)]);
        Assert.Equal(Reference.Flatten(rows[..visualRows]), visual.Floats);
        Assert.Equal(Reference.Flatten(rows[visualRows..]), text.Floats);

        join.Run([(GraphNames.Visual, visual), (GraphNames.Text, text)], [(GraphNames.Y, y)]);
        Assert.Equal(x.Floats, y.Floats);
    }

    [Theory]
    [MemberData(nameof(Geometries))]
    public void MonolithEqualsTheChainOfLayersBitForBit(string name)
    {
        var geometry = TestGeometries.Text(name);
        var weights = new TestWeights(32, geometry);
        var random = new Random(11);
        using var monolith = new GraphSession(MonolithGraph.Build(geometry, TiedHead, LinearFormat.Float32), weights);
        using var head = new GraphSession(HeadGraph.Build(geometry, TiedHead, LinearFormat.Float32), weights);
        var layers = Enumerable.Range(0, geometry.Layers).Select(layer => new LayerBench(geometry, layer, LayerKind.Dense, weights)).ToArray();
        var chainCaches = Enumerable.Range(0, geometry.Layers).Select(_ => new TestCache(geometry, 16)).ToArray();
        var monolithCaches = Enumerable.Range(0, geometry.Layers).Select(_ => new TestCache(geometry, 16)).ToArray();
        var expected = Enumerable.Range(0, geometry.Layers).Select(_ => new ReferenceCache()).ToArray();
        var reference = new ReferenceDecoder(geometry, weights);

        foreach (long[] positions in new long[][] { [0, 1, 2, 5, 8, 9], [12, 13], [14] })
        {
            var rows = Reference.RandomRows(random, positions.Length, geometry.Hidden);
            var (chained, wanted) = (rows, rows);
            for (int layer = 0; layer < geometry.Layers; layer++)
            {
                float[] y = layers[layer].Run(chained, positions, chainCaches[layer]);
                chained = y.Chunk(geometry.Hidden).Select(Reference.ToDoubles).ToArray();
                wanted = reference.Layer(layer, wanted, positions, expected[layer]);
            }

            float[] chainLogits = RunHead(head, chained, geometry);
            float[] logits = RunMonolith(monolith, rows, positions, monolithCaches, geometry);
            Assert.Equal(chainLogits, logits);
            Reference.AssertClose(reference.Logits(wanted[^1], TiedHead), logits, 1e-4);
            for (int layer = 0; layer < geometry.Layers; layer++)
            {
                Assert.Equal(chainCaches[layer].Key.Floats, monolithCaches[layer].Key.Floats);
                Assert.Equal(chainCaches[layer].Value.Floats, monolithCaches[layer].Value.Floats);
            }
        }
    }

    private static float[] RunHead(GraphSession head, double[][] rows, TextGeometry geometry)
    {
        using var x = NativeTensor.Of(Reference.Flatten(rows), 1, rows.Length, geometry.Hidden);
        using var row = NativeTensor.Of([(long)rows.Length - 1], 1);
        using var logits = NativeTensor.Empty(1, 1, geometry.Vocabulary);
        head.Run([(GraphNames.X, x), (GraphNames.Row, row)], [(GraphNames.Logits, logits)]);
        return logits.Floats.ToArray();
    }

    private static float[] RunMonolith(GraphSession monolith, double[][] rows, long[] positions, TestCache[] caches, TextGeometry geometry)
    {
        using var x = NativeTensor.Of(Reference.Flatten(rows), 1, rows.Length, geometry.Hidden);
        using var at = NativeTensor.Of(positions, 1, positions.Length);
        using var last = NativeTensor.Of(caches[0].Rows + rows.Length - 1);
        using var total = NativeTensor.Of((int)caches[0].Key.Shape[2]);
        using var row = NativeTensor.Of([(long)rows.Length - 1], 1);
        using var logits = NativeTensor.Empty(1, 1, geometry.Vocabulary);
        List<(string, NativeTensor)> inputs = [(GraphNames.X, x), (GraphNames.Positions, at), (GraphNames.LastRow, last), (GraphNames.Total, total), (GraphNames.Row, row)];
        List<(string, NativeTensor)> outputs = [(GraphNames.Logits, logits)];
        for (int layer = 0; layer < caches.Length; layer++)
        {
            caches[layer].Rows += rows.Length;
            inputs.Add((MonolithGraph.OfLayer(GraphNames.PastKey, layer), caches[layer].Key));
            inputs.Add((MonolithGraph.OfLayer(GraphNames.PastValue, layer), caches[layer].Value));
            outputs.Add((MonolithGraph.OfLayer(GraphNames.PresentKey, layer), caches[layer].Key));
            outputs.Add((MonolithGraph.OfLayer(GraphNames.PresentValue, layer), caches[layer].Value));
        }

        monolith.Run([.. inputs], [.. outputs]);
        return logits.Floats.ToArray();
    }
}
