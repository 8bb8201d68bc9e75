using Espalier.Planning;

namespace Espalier.Tests.Checkpoints;

/// <summary>The checkpoints of the repository, which PyTorch wrote.</summary>
public sealed class RepositoryCheckpointTests
{
    [Theory]
    [InlineData("tests/reference/checkpoints/clip-llama", VisionFamily.Clip, TextFamily.Llama, 36)]
    [InlineData("tests/reference/checkpoints/clip-llama-f16", VisionFamily.Clip, TextFamily.Llama, 16)]
    [InlineData("tests/reference/checkpoints/siglip-qwen2", VisionFamily.Siglip, TextFamily.Qwen2, null)]
    [InlineData("samples/models/shapes", VisionFamily.Clip, TextFamily.Llama, 144)]
    public void TheyOpenAndHoldFiniteWeights(string folder, VisionFamily vision, TextFamily text, int? visualTokens)
    {
        using var checkpoint = Checkpoint.Open(RepositoryFolder.Combine(folder));
        Assert.Equal((vision, text), (checkpoint.Geometry.Vision.Family, checkpoint.Geometry.Text.Family));
        Assert.Equal(visualTokens ?? checkpoint.Geometry.VisualTokens, checkpoint.Geometry.VisualTokens);
        Assert.NotEmpty(checkpoint.GenerationDefaults.EosTokenIds);
        foreach (string name in checkpoint.TensorNames)
        {
            Assert.True(checkpoint.TryGetTensor(name, out CheckpointTensor tensor));
            float[] values = new float[tensor.Elements];
            tensor.ReadFloats(0, values);
            Assert.DoesNotContain(values, value => !float.IsFinite(value));
            Assert.Contains(values, value => value != 0 || name.EndsWith("bias", StringComparison.Ordinal));
        }
    }
}
