namespace Espalier.Tests.Checkpoints;

public sealed class CheckpointLifetimeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CheckpointLifetimeTests() => SmallModel.Write(_folder, SmallModel.Tensors());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void UseAfterDisposeThrows()
    {
        var checkpoint = Checkpoint.Open(_folder.Path);
        CheckpointTensor tensor = checkpoint.GetTensor("lm_head.weight", [96, 64]);
        checkpoint.Dispose();
        checkpoint.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.ReadFloats(0, new float[4]));
        Assert.Throws<ObjectDisposedException>(() => tensor.Data);
        Assert.Throws<ObjectDisposedException>(() => checkpoint.TryGetTensor("lm_head.weight", out _));
        Assert.Throws<ObjectDisposedException>(() => checkpoint.GetTensor("lm_head.weight", [96, 64]));
        Assert.Throws<ObjectDisposedException>(checkpoint.Lease);
        Assert.Equal(96, checkpoint.Geometry.Text.Vocabulary);
    }

    [Fact]
    public unsafe void ALeaseKeepsTheWeightsBehindTheDisposalOfTheCheckpoint()
    {
        var checkpoint = Checkpoint.Open(_folder.Path);
        CheckpointTensor tensor = checkpoint.GetTensor("lm_head.weight", [96, 64]);
        float expected = SmallModel.Values("language_model.lm_head.weight", [96, 64])[^1];
        CheckpointLease first = checkpoint.Lease();
        CheckpointLease second = checkpoint.Lease();
        Assert.False(first.IsInvalid);
        checkpoint.Dispose();

        Assert.True(!OperatingSystem.IsLinux() || IsMapped(_folder.Path));
        float* weights = (float*)tensor.Data;
        Assert.Equal(expected, weights[(96 * 64) - 1]);
        first.Dispose();
        first.Dispose();
        Assert.Equal(expected, weights[(96 * 64) - 1]);
        float[] last = new float[1];
        tensor.ReadFloats((96 * 64) - 1, last);
        Assert.Equal(expected, last[0]);

        second.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.ReadFloats(0, last));
        Assert.False(OperatingSystem.IsLinux() && IsMapped(_folder.Path));
    }

    [Fact]
    public void AChildHandleKeepsItsLease()
    {
        var checkpoint = Checkpoint.Open(_folder.Path);
        CheckpointTensor tensor = checkpoint.GetTensor("lm_head.weight", [96, 64]);
        CheckpointLease lease = checkpoint.Lease();
        bool added = false;
        lease.DangerousAddRef(ref added);
        lease.Dispose();
        checkpoint.Dispose();
        tensor.ReadFloats(0, new float[1]);
        lease.DangerousRelease();
        Assert.Throws<ObjectDisposedException>(() => tensor.ReadFloats(0, new float[1]));
    }

    [Fact]
    public void AFailedOpenLeavesNothingMapped()
    {
        SmallModel.Write(_folder, SmallModel.Tensors().Where(tensor => !tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal)));
        Assert.Throws<MissingTensorException>(() => Checkpoint.Open(_folder.Path));
        Assert.False(OperatingSystem.IsLinux() && IsMapped(_folder.Path));

        // Still open for writing means that no handle is left.
        SmallModel.Write(_folder, SmallModel.Tensors());
        Checkpoint.Open(_folder.Path).Dispose();
    }

    [Fact]
    public void WritersAreKeptAwayWhileTheWeightsAreMapped()
    {
        using (Checkpoint.Open(_folder.Path))
        {
            Assert.Throws<IOException>(() => File.OpenWrite(_folder["model.safetensors"]));
            using var shared = Checkpoint.Open(_folder.Path);
        }

        File.OpenWrite(_folder["model.safetensors"]).Dispose();
    }

    /// <summary>Readers and a disposer race: a reader sees right values or the exception, never unmapped memory.</summary>
    [Fact]
    public void DisposingWhileOthersReadIsSafe()
    {
        float[] expected = SmallModel.Values("language_model.lm_head.weight", [96, 64]);
        for (int round = 0; round < 50; round++)
        {
            var checkpoint = Checkpoint.Open(_folder.Path);
            CheckpointTensor tensor = checkpoint.GetTensor("lm_head.weight", [96, 64]);
            using var started = new CountdownEvent(2);
            Thread[] readers = new Thread[2];
            Exception? failure = null;
            for (int i = 0; i < readers.Length; i++)
            {
                readers[i] = new Thread(() =>
                {
                    float[] found = new float[expected.Length];
                    started.Signal();
                    try
                    {
                        while (true)
                        {
                            tensor.ReadFloats(0, found);
                            if (!found.AsSpan().SequenceEqual(expected))
                            {
                                throw new InvalidOperationException("wrong values");
                            }
                        }
                    }
                    catch (ObjectDisposedException)
                    {
                    }
                    catch (Exception exception)
                    {
                        failure = exception;
                    }
                });
                readers[i].Start();
            }

            started.Wait();
            checkpoint.Dispose();
            Array.ForEach(readers, reader => reader.Join());
            Assert.Null(failure);
        }
    }

    private static bool IsMapped(string folder) => File.ReadAllText("/proc/self/maps").Contains(folder, StringComparison.Ordinal);
}
