using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>The parts of a cut vision tower on the real library: together they are the tower, and they hand out what reductions read.</summary>
public sealed class TowerSectionGraphTests
{
    [Theory]
    [InlineData("Clip", TowerReads.None, false)]
    [InlineData("Clip", TowerReads.Logits, false)]
    [InlineData("Clip", TowerReads.Probabilities | TowerReads.Keys, true)]
    [InlineData("Siglip", TowerReads.Logits | TowerReads.Keys, false)]
    [InlineData("Siglip", TowerReads.Keys, true)]
    public void SectionsTogetherAreTheTower(string family, TowerReads reads, bool proportional)
    {
        VisionGeometry geometry = (family == "Clip" ? TestGeometries.Clip : TestGeometries.Siglip) with { FeatureLayers = 2 };
        var weights = new TestWeights(31);
        float[] pixels = Pixels(geometry);
        var reference = new ReferenceVision(geometry, weights);
        int rows = geometry.Tokens;

        using NativeTensor embedded = Run(TowerSectionGraph.Embed(geometry, LinearFormat.Float32), weights, GraphNames.Pixels, NativeTensor.Of(pixels, 1, 3, geometry.ImageSize, geometry.ImageSize), GraphNames.Y, rows, geometry);
        using NativeTensor first = Run(TowerSectionGraph.Layers(geometry, new TowerSection(0, 0), LinearFormat.Float32), weights, GraphNames.X, embedded, GraphNames.Y, rows, geometry);
        using var session = new GraphSession(TowerSectionGraph.Attention(geometry, new TowerSection(1, 1, reads, proportional), LinearFormat.Float32), weights);
        using NativeTensor residual = NativeTensor.Empty(1, rows, geometry.Hidden);
        using NativeTensor map = NativeTensor.Empty(rows, rows);
        using NativeTensor keys = NativeTensor.Empty(rows, geometry.HeadDim);
        using NativeTensor logSizes = NativeTensor.Of(new float[rows], rows);
        session.Run(
            [(GraphNames.X, first), .. proportional ? [(GraphNames.LogSizes, logSizes)] : Array.Empty<(string, NativeTensor)>()],
            [
                (GraphNames.Y, residual),
                .. (reads & (TowerReads.Logits | TowerReads.Probabilities)) != 0 ? [(GraphNames.Map, map)] : Array.Empty<(string, NativeTensor)>(),
                .. reads.HasFlag(TowerReads.Keys) ? [(GraphNames.Keys, keys)] : Array.Empty<(string, NativeTensor)>(),
            ]);
        using NativeTensor features = Run(TowerSectionGraph.FeedForward(geometry, new TowerSection(1, 1), LinearFormat.Float32), weights, GraphNames.X, residual, GraphNames.Features, geometry.FeatureTokens, geometry);

        Reference.AssertClose(reference.Features(pixels), features.Floats);
        var inside = reference.Inside(pixels, 1);
        if (reads.HasFlag(TowerReads.Logits))
        {
            Reference.AssertClose(inside.Logits, map.Floats);
        }

        if (reads.HasFlag(TowerReads.Probabilities))
        {
            Reference.AssertClose(inside.Probabilities, map.Floats);
        }

        if (reads.HasFlag(TowerReads.Keys))
        {
            Reference.AssertClose(inside.Keys, keys.Floats);
        }
    }

    [Fact]
    public void ARowOfSizeTwoCountsAsTwoRows()
    {
        VisionGeometry geometry = TestGeometries.Clip;
        var weights = new TestWeights(33);
        double[][] rows = Reference.RandomRows(new Random(4), 3, geometry.Hidden);
        float[] once = Attend(geometry, weights, rows, [0, 0, MathF.Log(2)]);
        float[] twice = Attend(geometry, weights, [.. rows, rows[2]], [0, 0, 0, 0]);
        Reference.AssertClose(Array.ConvertAll(twice[..(3 * geometry.Hidden)], static x => (double)x), once);
    }

    [Fact]
    public void WholeLayersUpToTheLastOneLeaveTheClsRowOut()
    {
        VisionGeometry geometry = TestGeometries.Clip with { FeatureLayers = 3 };
        var weights = new TestWeights(34);
        float[] pixels = Pixels(geometry);
        using NativeTensor embedded = Run(TowerSectionGraph.Embed(geometry, LinearFormat.Float32), weights, GraphNames.Pixels, NativeTensor.Of(pixels, 1, 3, geometry.ImageSize, geometry.ImageSize), GraphNames.Y, geometry.Tokens, geometry);
        using NativeTensor features = Run(TowerSectionGraph.Layers(geometry, new TowerSection(0, 2), LinearFormat.Float32), weights, GraphNames.X, embedded, GraphNames.Features, geometry.FeatureTokens, geometry);
        Reference.AssertClose(new ReferenceVision(geometry, weights).Features(pixels), features.Floats);
    }

    [Fact]
    public void LayersThatDoNotRunAreRefused()
    {
        VisionGeometry geometry = TestGeometries.Clip with { FeatureLayers = 2 };
        Assert.Throws<ArgumentOutOfRangeException>(() => TowerSectionGraph.Layers(geometry, new TowerSection(0, 2), LinearFormat.Float32));
        Assert.Throws<ArgumentOutOfRangeException>(() => TowerSectionGraph.Attention(geometry, new TowerSection(-1, 0), LinearFormat.Float32));
        Assert.Throws<ArgumentOutOfRangeException>(() => TowerSectionGraph.FeedForward(geometry, new TowerSection(1, 0), LinearFormat.Float32));
    }

    private static float[] Attend(VisionGeometry geometry, TestWeights weights, double[][] rows, float[] logSizes)
    {
        using var session = new GraphSession(TowerSectionGraph.Attention(geometry, new TowerSection(0, 0, TowerReads.None, IsProportional: true), LinearFormat.Float32), weights);
        using NativeTensor x = NativeTensor.Of(Reference.Flatten(rows), 1, rows.Length, geometry.Hidden);
        using NativeTensor sizes = NativeTensor.Of(logSizes, rows.Length);
        using NativeTensor y = NativeTensor.Empty(1, rows.Length, geometry.Hidden);
        session.Run([(GraphNames.X, x), (GraphNames.LogSizes, sizes)], [(GraphNames.Y, y)]);
        return y.Floats.ToArray();
    }

    private static NativeTensor Run(GraphModel graph, TestWeights weights, string input, NativeTensor value, string output, int rows, VisionGeometry geometry)
    {
        using var session = new GraphSession(graph, weights);
        NativeTensor result = NativeTensor.Empty(1, rows, geometry.Hidden);
        session.Run([(input, value)], [(output, result)]);
        return result;
    }

    private static float[] Pixels(VisionGeometry geometry)
    {
        var random = new Random(12);
        return [.. Enumerable.Range(0, 3 * geometry.ImageSize * geometry.ImageSize).Select(_ => (float)(random.NextDouble() * 4 - 2))];
    }
}
