using Espalier.Benchmarks;
using Espalier.Benchmarks.Synthesis;

namespace Espalier.Tests.Benchmarks;

/// <summary>The folders with random weights that the benchmarks run on.</summary>
public sealed class SyntheticCheckpointTests : IDisposable
{
    private const string QueryWeight = "language_model.layers.3.self_attn.q_proj.weight";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("F32")]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void WeightsAreNormalAndNormsAreOne(string type)
    {
        using Checkpoint checkpoint = Write("model", Enum.Parse<TensorType>(type));
        float[] weights = Read(checkpoint, QueryWeight);
        double mean = weights.Average();
        double deviation = Math.Sqrt(weights.Average(weight => (weight - mean) * (weight - mean)));
        Assert.InRange(mean, -0.001, 0.001);
        Assert.InRange(deviation, 0.019, 0.021);
        Assert.InRange(weights.Count(static weight => Math.Abs(weight) < 0.02) / (double)weights.Length, 0.66, 0.70);
        Assert.All(Read(checkpoint, "language_model.layers.3.input_layernorm.weight"), static weight => Assert.Equal(1f, weight));
        Assert.All(Read(checkpoint, "vision_tower.pre_layrnorm.bias"), static weight => Assert.Equal(0f, weight));
        Assert.True(checkpoint.TryGetTensor(QueryWeight, out CheckpointTensor tensor));
        Assert.Equal(type, tensor.Type.ToString());
        Assert.True(tensor.IsAligned);
    }

    [Fact]
    public void TheSameSeedGivesTheSameBytes()
    {
        Write("one", seed: 7).Dispose();
        Write("same", seed: 7).Dispose();
        Write("other", seed: 8).Dispose();
        Assert.Equal(Bytes("one"), Bytes("same"));
        Assert.NotEqual(Bytes("one"), Bytes("other"));

        byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(_folder.Path, name, "model.safetensors"));
    }

    [Fact]
    public void ShardsHoldTheSameWeightsAsOneFile()
    {
        using Checkpoint whole = Write("whole");
        using Checkpoint cut = Write("cut", maxShardBytes: 100_000);
        Assert.True(Directory.GetFiles(cut.Folder, "model-*.safetensors").Length > 5);
        Assert.Equal(whole.TensorNames.Order(StringComparer.Ordinal), cut.TensorNames.Order(StringComparer.Ordinal));
        Assert.Equal(Read(whole, QueryWeight), Read(cut, QueryWeight));
    }

    [Fact]
    public void AnExistingFolderIsLeftAsItIs()
    {
        Write("model").Dispose();
        string file = Path.Combine(_folder.Path, "model", "model.safetensors");
        DateTime written = File.GetLastWriteTimeUtc(file);
        BenchmarkException refusal = Assert.Throws<BenchmarkException>(() => Write("model"));
        Assert.Contains("exists already", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(file));
    }

    [Fact]
    public void CancellationLeavesNothing()
    {
        using var cancellation = new CancellationTokenSource();
        var progress = new CancelAtOnce(cancellation);
        Assert.Throws<OperationCanceledException>(() => SyntheticCheckpoint.Write(
            Presets.Find("tiny"), _folder["model"], TensorType.F32, 1, SyntheticCheckpoint.DefaultShardBytes, progress, cancellation.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("\"vocab_size\": 512", "\"vocab_size\": 200", "vocab_size")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": -1", "hidden_size")]
    public void AConfigThatCannotBeServedLeavesNothing(string from, string to, string field)
    {
        string config = _folder["config.json"];
        File.WriteAllText(config, File.ReadAllText(Presets.Find("tiny")).Replace(from, to, StringComparison.Ordinal));
        EspalierException refusal = Assert.ThrowsAny<EspalierException>(() => SyntheticCheckpoint.Write(
            config, _folder["model"], TensorType.F32, 1, SyntheticCheckpoint.DefaultShardBytes, null, CancellationToken.None));
        Assert.Contains(field, refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(_folder.Path));
    }

    [Fact]
    public void AnUnknownPresetIsToldTheKnownOnes()
    {
        BenchmarkException refusal = Assert.Throws<BenchmarkException>(() => Presets.Find("no-such-preset"));
        Assert.Contains("qwen2-0.5b-576", refusal.Message, StringComparison.Ordinal);
    }

    private Checkpoint Write(string name, TensorType type = TensorType.F32, ulong seed = 1, long maxShardBytes = SyntheticCheckpoint.DefaultShardBytes)
    {
        string folder = _folder[name];
        SyntheticCheckpoint.Write(Presets.Find("tiny"), folder, type, seed, maxShardBytes, null, CancellationToken.None);
        return Checkpoint.Open(folder);
    }

    private static float[] Read(Checkpoint checkpoint, string name)
    {
        Assert.True(checkpoint.TryGetTensor(name, out CheckpointTensor tensor), name);
        var floats = new float[tensor.Elements];
        tensor.ReadFloats(0, floats);
        return floats;
    }

    private sealed class CancelAtOnce(CancellationTokenSource cancellation) : IProgress<(long Written, long Total)>
    {
        public void Report((long Written, long Total) value) => cancellation.Cancel();
    }
}
