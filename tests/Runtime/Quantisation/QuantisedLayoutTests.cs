using Espalier.Graphs;
using Espalier.Graphs.Formats;

namespace Espalier.Tests.Quantisation;

/// <summary>The files hold exactly what the graphs read.</summary>
public sealed class QuantisedLayoutTests
{
    public static TheoryData<string> Checkpoints { get; } = ["tests/reference/checkpoints/clip-llama", "tests/reference/checkpoints/siglip-qwen2", "samples/models/shapes"];

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void TheFilesHoldWhatTheGraphsRead(string folder)
    {
        using var checkpoint = Checkpoint.Open(RepositoryFolder.Combine(folder));
        foreach (QuantisedFormat format in new QuantisedFormat[] { Int8PerToken.Signed, Int8PerToken.Unsigned, Int4Blocks.Instance })
        {
            Check(LinearGroup.Decoder, format, MonolithGraph.Build(checkpoint.Geometry.Text, checkpoint.HeadTensorName, format));
            Check(LinearGroup.Vision, format, VisionGraph.Build(checkpoint.Geometry.Vision, format), ProjectorGraph.Build(checkpoint.Geometry, format));
        }

        void Check(LinearGroup group, QuantisedFormat format, params GraphModel[] graphs)
        {
            QuantisedLayout layout = QuantisedLayout.Of(checkpoint, group, format);
            IEnumerable<string> read = graphs.SelectMany(static graph => graph.Weights)
                .Where(use => use.Name.Contains(".weight." + format.Name, StringComparison.Ordinal))
                .Select(static use => $"{use.Name} {use.Type} {string.Join(',', use.Shape)}");
            IEnumerable<string> stored = layout.Weights.SelectMany(static weight => new[] { weight.Integers, weight.Scales }).Select(static use => $"{use.Name} {use.Type} {string.Join(',', use.Shape)}");
            Assert.Equal(read.Order(StringComparer.Ordinal), stored.Order(StringComparer.Ordinal));
            Assert.Equal(layout.Weights.Count * 2, layout.Tensors.Count);
            Assert.Equal(layout.Tensors.Count, layout.Tensors.DistinctBy(static tensor => tensor.Name).Count());
        }
    }

    [Fact]
    public void EveryFormatAndGroupHasAFileOfItsOwn()
    {
        using var checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples/models/shapes"));
        var names = from format in new QuantisedFormat[] { Int8PerToken.Signed, Int8PerToken.Unsigned, Int4Blocks.Instance }
                    from LinearGroup layers in Enum.GetValues<LinearGroup>()
                    select QuantisedLayout.Of(checkpoint, layers, format).FileName;
        Assert.Equal(
            [
                "decoder-int4-v1.safetensors",
                "decoder-int8-unsigned-v1.safetensors",
                "decoder-int8-v1.safetensors",
                "vision-int4-v1.safetensors",
                "vision-int8-unsigned-v1.safetensors",
                "vision-int8-v1.safetensors",
            ],
            names.Order(StringComparer.Ordinal));
    }
}
