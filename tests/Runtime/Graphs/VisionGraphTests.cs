using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>The vision tower and the projector on the real library, against plain arithmetic in doubles.</summary>
public sealed class VisionGraphTests
{
    public static TheoryData<string, int, bool, Activation> Towers { get; } = new()
    {
        { "Clip", 2, false, Activation.QuickGelu },
        { "Clip", 3, true, Activation.QuickGelu },
        { "Clip", 0, false, Activation.QuickGelu },
        { "Clip", 1, false, Activation.Gelu },
        { "Clip", 1, false, Activation.Silu },
        { "Siglip", 2, false, Activation.GeluTanh },
        { "Siglip", 0, false, Activation.GeluTanh },
    };

    [Theory]
    [MemberData(nameof(Towers))]
    public void FeaturesMatchReference(string family, int featureLayers, bool keepsCls, Activation activation)
    {
        var geometry = (family == "Clip" ? TestGeometries.Clip : TestGeometries.Siglip) with { FeatureLayers = featureLayers, KeepsCls = keepsCls, Activation = activation };
        var weights = new TestWeights(21);
        var random = new Random(6);
        var pixels = Enumerable.Range(0, 3 * geometry.ImageSize * geometry.ImageSize).Select(_ => (float)(random.NextDouble() * 4 - 2)).ToArray();

        using var session = new GraphSession(VisionGraph.Build(geometry, LinearFormat.Float32), weights);
        using var input = NativeTensor.Of(pixels, 1, 3, geometry.ImageSize, geometry.ImageSize);
        using var features = NativeTensor.Empty(1, geometry.FeatureTokens, geometry.Hidden);
        session.Run([(GraphNames.Pixels, input)], [(GraphNames.Features, features)]);

        Reference.AssertClose(new ReferenceVision(geometry, weights).Features(pixels), features.Floats);
    }

    [Theory]
    [InlineData(2, 1, 1)]
    [InlineData(2, 0, 1)]
    [InlineData(3, 1, 1)]
    [InlineData(1, 0, 0)]
    public void ScoredTowersHandOutClsAttentionAndKeys(int featureLayers, int first, int last)
    {
        var geometry = TestGeometries.Clip with { FeatureLayers = featureLayers };
        var weights = new TestWeights(24);
        var random = new Random(8);
        var pixels = Enumerable.Range(0, 3 * geometry.ImageSize * geometry.ImageSize).Select(_ => (float)(random.NextDouble() * 4 - 2)).ToArray();

        using var session = new GraphSession(ScoredVisionGraph.Build(geometry, new TowerScores(first, last), LinearFormat.Float32), weights);
        using var input = NativeTensor.Of(pixels, 1, 3, geometry.ImageSize, geometry.ImageSize);
        using var features = NativeTensor.Empty(1, geometry.Tokens, geometry.Hidden);
        using var attention = NativeTensor.Empty(geometry.Patches);
        using var keys = NativeTensor.Empty(geometry.Patches, geometry.HeadDim);
        session.Run([(GraphNames.Pixels, input)], [(GraphNames.Features, features), (GraphNames.ClsAttention, attention), (GraphNames.Keys, keys)]);

        var expected = new ReferenceVision(geometry, weights).Scored(pixels, first, last);
        Reference.AssertClose(expected.Rows, features.Floats);
        Reference.AssertClose(expected.ClsAttention, attention.Floats);
        Reference.AssertClose(expected.Keys, keys.Floats);
    }

    [Fact]
    public void TowersWithoutClsHandOutWhatPatchesReceive()
    {
        var geometry = TestGeometries.Siglip with { FeatureLayers = 2 };
        var weights = new TestWeights(25);
        var random = new Random(8);
        var pixels = Enumerable.Range(0, 3 * geometry.ImageSize * geometry.ImageSize).Select(_ => (float)(random.NextDouble() * 4 - 2)).ToArray();

        using var session = new GraphSession(ScoredVisionGraph.Build(geometry, new TowerScores(1, 1, TowerAttention.Received), LinearFormat.Float32), weights);
        using var input = NativeTensor.Of(pixels, 1, 3, geometry.ImageSize, geometry.ImageSize);
        using var features = NativeTensor.Empty(1, geometry.Tokens, geometry.Hidden);
        using var attention = NativeTensor.Empty(geometry.Patches);
        using var keys = NativeTensor.Empty(geometry.Patches, geometry.HeadDim);
        session.Run([(GraphNames.Pixels, input)], [(GraphNames.Features, features), (GraphNames.ClsAttention, attention), (GraphNames.Keys, keys)]);

        var reference = new ReferenceVision(geometry, weights);
        var inside = reference.Inside(pixels, 1);
        var received = new double[geometry.Patches];
        for (int i = 0; i < inside.Probabilities.Length; i++)
        {
            received[i % received.Length] += inside.Probabilities[i] / received.Length;
        }

        Reference.AssertClose(reference.Features(pixels), features.Floats);
        Reference.AssertClose(inside.Keys, keys.Floats);
        Reference.AssertClose(received, attention.Floats);
    }

    [Fact]
    public void ScoresThatNoTowerHasAreRefused()
    {
        Assert.Throws<ArgumentException>(static () => ScoredVisionGraph.Build(TestGeometries.Siglip, new TowerScores(0, 1), LinearFormat.Float32));
        Assert.Throws<ArgumentException>(static () => ScoredVisionGraph.Build(TestGeometries.Clip, new TowerScores(0, 2), LinearFormat.Float32));
        Assert.Throws<ArgumentException>(static () => ScoredVisionGraph.Build(TestGeometries.Clip, new TowerScores(1, 0), LinearFormat.Float32));
        Assert.Throws<ArgumentException>(static () => ScoredVisionGraph.Build(TestGeometries.Clip, new TowerScores(-1, 0), LinearFormat.Float32));
    }

    [Fact]
    public void MergedRowsAreWeightsTimesRows()
    {
        var random = new Random(9);
        double[][] rows = Reference.RandomRows(random, 7, 5);
        double[][] weights = Reference.RandomRows(random, 3, 7);
        using var session = new GraphSession(RowGraphs.Merge(5), new TestWeights(1));
        using var x = NativeTensor.Of(Reference.Flatten(rows), 1, 7, 5);
        using var w = NativeTensor.Of(Reference.Flatten(weights), 1, 3, 7);
        using var y = NativeTensor.Empty(1, 3, 5);
        session.Run([(GraphNames.X, x), (GraphNames.Weights, w)], [(GraphNames.Y, y)]);
        Reference.AssertClose(Array.ConvertAll(weights, row => Enumerable.Range(0, 5).Select(i => row.Zip(rows, (weight, values) => weight * values[i]).Sum()).ToArray()), y.Floats);
    }

    [Fact]
    public void LayersBehindTheFeaturesAreNotRead()
    {
        var weights = VisionGraph.Build(TestGeometries.Clip, LinearFormat.Float32).Weights.Select(use => use.Name).ToArray();

        Assert.Contains("vision_tower.encoder.layers.1.mlp.fc2.bias", weights);
        Assert.DoesNotContain(weights, name => name.Contains(".layers.2.", StringComparison.Ordinal) || name.Contains("post_layernorm", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Activation.Gelu)]
    [InlineData(Activation.GeluTanh)]
    public void ProjectorMatchesReference(Activation activation)
    {
        var geometry = new ModelGeometry("llava", TestGeometries.Clip, TestGeometries.Llama, ImageTokenId: 5, activation);
        var (inner, width) = (geometry.Vision.Hidden, geometry.Text.Hidden);
        var weights = new TestWeights(22);
        var rows = Reference.RandomRows(new Random(7), 5, inner);

        using var session = new GraphSession(ProjectorGraph.Build(geometry, LinearFormat.Float32), weights);
        using var features = NativeTensor.Of(Reference.Flatten(rows), 1, rows.Length, inner);
        using var y = NativeTensor.Empty(1, rows.Length, width);
        session.Run([(GraphNames.Features, features)], [(GraphNames.Y, y)]);

        var expected = Array.ConvertAll(rows, row => Linear(Array.ConvertAll(Linear(row, "linear_1"), element => ReferenceVision.Activate(element, activation)), "linear_2"));
        Reference.AssertClose(expected, y.Floats);

        double[] Linear(double[] x, string module) =>
            Reference.Linear(x, weights.Get($"multi_modal_projector.{module}.weight", width, x.Length), width)
                .Zip(weights.Get($"multi_modal_projector.{module}.bias", width), (a, b) => a + b).ToArray();
    }

    [Fact]
    public void ShapesWithoutAKernelAreNamed()
    {
        Assert.Contains("num_attention_heads (5)", Message(TestGeometries.Clip with { Heads = 5 }), StringComparison.Ordinal);
        Assert.Contains("patch_size (32)", Message(TestGeometries.Clip with { PatchSize = 32 }), StringComparison.Ordinal);
        Assert.Contains("asks for 4 layers", Message(TestGeometries.Clip with { FeatureLayers = 4 }), StringComparison.Ordinal);

        static string Message(VisionGeometry geometry) => Assert.Throws<UnsupportedGeometryException>(() => VisionGraph.Build(geometry, LinearFormat.Float32)).Message;
    }
}
