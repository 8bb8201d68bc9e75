using System.Collections.Concurrent;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Tests.Checkpoints;

namespace Espalier.Tests.Quantisation;

/// <summary>Files of quantised weights: made once, found again, made anew when they are stale or damaged, whoever else is at it.</summary>
public sealed class WeightCacheTests
{
    /// <summary>Linear layers of the small model: seven a decoder layer and the head; six each of the two tower layers that are run, and two of the projector.</summary>
    private const int DecoderWeights = (2 * 7) + 1;
    private const int VisionWeights = (2 * 6) + 2;

    [Fact]
    public void FilesAreMadeOnceAndMappedFromThenOn()
    {
        using var model = new QuantisableModel();
        Assert.Equal(DecoderWeights + VisionWeights, model.Open());
        Assert.Equal(["decoder-int8-v1.safetensors", "vision-int8-v1.safetensors"], Directory.EnumerateFiles(model.Beside).Select(Path.GetFileName).Order());
        DateTime written = File.GetLastWriteTimeUtc(model.DecoderFile);
        byte[] bytes = File.ReadAllBytes(model.DecoderFile);

        Assert.Equal(0, model.Open(use: opened => Assert.Equal([model.DecoderFile, model.VisionFile], opened.Select(static weights => weights.File))));
        Assert.Equal(written, File.GetLastWriteTimeUtc(model.DecoderFile));
        Assert.Equal(bytes, File.ReadAllBytes(model.DecoderFile));

        // Another format is another file.
        Assert.Equal(DecoderWeights + VisionWeights, model.Open(format: Int4Blocks.Instance));
        Assert.Equal(4, Directory.GetFiles(model.Beside).Length);
        Assert.Equal(0, model.Open());
    }

    [Fact]
    public void ProgressCountsTheWeightsOfAllFilesThatAreMade()
    {
        using var model = new QuantisableModel();
        model.Open();
        File.Delete(model.VisionFile);
        var recorder = new QuantisableModel.Recorder();
        using Checkpoint checkpoint = Checkpoint.Open(model.Folder);
        foreach (QuantisedWeights weights in WeightCache.Open([QuantisedLayout.Of(checkpoint, LinearGroup.Decoder, Int8PerToken.Signed), QuantisedLayout.Of(checkpoint, LinearGroup.Vision, Int8PerToken.Signed)], new ModelOptions { Progress = recorder }))
        {
            weights.Dispose();
        }

        Assert.Equal(Enumerable.Range(1, VisionWeights).Select(static done => new LoadProgress(LoadStage.QuantiseWeights, done, VisionWeights)), recorder.Reports);
    }

    [Fact]
    public void EqualWeightsGiveEqualBytesHoweverTheCheckpointIsWritten()
    {
        using var one = new QuantisableModel();
        using var other = new QuantisableModel(shards: 3);
        one.Open();
        other.Open();
        Assert.Equal(File.ReadAllBytes(one.DecoderFile), File.ReadAllBytes(other.DecoderFile));
        Assert.Equal(File.ReadAllBytes(one.VisionFile), File.ReadAllBytes(other.VisionFile));
    }

    [Theory]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void TheTypeOfTheSourceChangesNothingButTheDigests(string type)
    {
        using var single = new QuantisableModel();
        using var half = new QuantisableModel(type);
        single.Open();
        half.Open();
        foreach ((string expected, string actual) in new[] { (single.DecoderFile, half.DecoderFile), (single.VisionFile, half.VisionFile) })
        {
            // The values of the small model are exact in all types.
            (byte[] wanted, byte[] found) = (File.ReadAllBytes(expected), File.ReadAllBytes(actual));
            int data = 8 + (int)BitConverter.ToInt64(wanted);
            Assert.Equal(wanted[data..], found[data..]);
            Assert.NotEqual(wanted[..data], found[..data]);
        }
    }

    [Fact]
    public void ATiedHeadIsQuantisedFromTheEmbeddings()
    {
        using var model = new QuantisableModel(tied: true);
        Assert.Equal(DecoderWeights + VisionWeights, model.Open());
        Assert.Contains("language_model.embed_tokens.weight.int8", File.ReadAllText(model.DecoderFile, System.Text.Encoding.Latin1), StringComparison.Ordinal);
    }

    [Fact]
    public void OtherWeightsMakeTheFilesAnew()
    {
        using var model = new QuantisableModel();
        model.Open();
        byte[] before = File.ReadAllBytes(model.DecoderFile);
        model.Overwrite(4 * 96 * 64, [7.5f]);

        // Even where the date of the checkpoint says that it is older than the file.
        model.Age(TimeSpan.FromDays(1));
        Assert.Equal(DecoderWeights, model.Open());
        Assert.NotEqual(before, File.ReadAllBytes(model.DecoderFile));
        Assert.Equal(0, model.Open());
    }

    [Fact]
    public void AChangeBetweenTheSamplesIsSeenByItsDate()
    {
        using var model = new QuantisableModel();
        model.Open();

        // The head is the last tensor, 24 KB, of which the start, the middle and the end are samples.
        model.Overwrite(4 * 96 * 64 * 3 / 4, [7.5f]);
        Assert.Equal(DecoderWeights, model.Open());
        Assert.Equal(0, model.Open());
    }

    [Fact]
    public void AYoungerCheckpointOfTheSameWeightsIsReadThroughOnce()
    {
        using var model = new QuantisableModel();
        model.Open();
        byte[] bytes = File.ReadAllBytes(model.DecoderFile);
        DateTime touched = DateTime.UtcNow - TimeSpan.FromSeconds(1);
        File.SetLastWriteTimeUtc(model.DecoderFile, touched - TimeSpan.FromHours(2));
        File.SetLastWriteTimeUtc(model.Weights, touched);

        Assert.Equal(0, model.Open());
        Assert.Equal(bytes, File.ReadAllBytes(model.DecoderFile));
        Assert.True(File.GetLastWriteTimeUtc(model.DecoderFile) > touched);
    }

    [Fact]
    public void DamagedFilesAreMadeAnew()
    {
        using var model = new QuantisableModel();
        model.Open();
        byte[] whole = File.ReadAllBytes(model.DecoderFile);
        var random = new Random(11);
        foreach (byte[] damaged in Damages(whole, random))
        {
            File.WriteAllBytes(model.DecoderFile, damaged);
            int made = model.Open();
            Assert.Equal(damaged.AsSpan().SequenceEqual(whole) ? 0 : DecoderWeights, made);
            Assert.Equal(whole, File.ReadAllBytes(model.DecoderFile));
        }
    }

    [Fact]
    public void AFileOfSomebodyElsesTensorsIsMadeAnew()
    {
        using var model = new QuantisableModel();
        model.Open();
        byte[] whole = File.ReadAllBytes(model.DecoderFile);

        // Well-formed, and nothing of what the model needs: the other group's file, the checkpoint itself, tensors of other shapes.
        foreach (byte[] foreign in new[]
        {
            File.ReadAllBytes(model.VisionFile),
            File.ReadAllBytes(model.Weights),
            Replace(whole, "\"shape\":[64,128]", "\"shape\":[128,64]"),
            Replace(whole, "\"dtype\":\"I8\"", "\"dtype\":\"U8\""),
            Replace(whole, "int8 1", "int8 2"),
        })
        {
            File.WriteAllBytes(model.DecoderFile, foreign);
            Assert.Equal(DecoderWeights, model.Open());
            Assert.Equal(whole, File.ReadAllBytes(model.DecoderFile));
        }

        static byte[] Replace(byte[] file, string text, string by)
        {
            int at = file.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(text));
            Assert.True(at >= 0, text);
            byte[] replaced = [.. file];
            System.Text.Encoding.ASCII.GetBytes(by).CopyTo(replaced, at);
            return replaced;
        }
    }

    [Fact]
    public void WhereTheCheckpointsFolderCannotBeWrittenToTheUsersCacheServes()
    {
        using var model = new QuantisableModel();
        using var cache = new TemporaryFolder();

        // A file in the place of the folder stops everybody, root too.
        File.WriteAllText(model.Beside, "");
        string? before = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        Environment.SetEnvironmentVariable("XDG_CACHE_HOME", cache.Path);
        try
        {
            Assert.Equal(DecoderWeights + VisionWeights, model.Open(use: opened => Assert.All(opened, weights => Assert.StartsWith(cache["espalier"], weights.File, StringComparison.Ordinal))));
            Assert.Equal(0, model.Open());
            using var other = new QuantisableModel();
            File.WriteAllText(other.Beside, "");
            Assert.Equal(DecoderWeights + VisionWeights, other.Open());
            Assert.Equal(2, Directory.GetDirectories(cache["espalier"]).Length);
        }
        finally
        {
            Environment.SetEnvironmentVariable("XDG_CACHE_HOME", before);
        }
    }

    [Fact]
    public void AFolderCanBeChosen()
    {
        using var model = new QuantisableModel();
        using var chosen = new TemporaryFolder();
        var options = new ModelOptions { CacheFolder = chosen["weights"] };
        Assert.Equal(DecoderWeights + VisionWeights, model.Open(options));
        Assert.Equal(0, model.Open(options));
        Assert.False(Directory.Exists(model.Beside));
        Assert.Equal(2, Directory.GetFiles(chosen.Path, "*.safetensors", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void WhereNoFolderCanBeWrittenToTheErrorSaysWhatToDo()
    {
        using var model = new QuantisableModel();
        using var chosen = new TemporaryFolder();
        File.WriteAllText(chosen["weights"], "");
        var error = Assert.Throws<WeightCacheException>(() => model.Open(new ModelOptions { CacheFolder = chosen["weights"] }));
        Assert.Contains(chosen["weights"], error.Message, StringComparison.Ordinal);
        Assert.Contains("ModelOptions.CacheFolder", error.Message, StringComparison.Ordinal);
        Assert.IsAssignableFrom<IOException>(error.InnerException);
    }

    [Fact]
    public async Task SeveralAtOnceMakeOneGoodFile()
    {
        using var model = new QuantisableModel();
        model.Open();
        byte[] whole = File.ReadAllBytes(model.DecoderFile);
        for (int round = 0; round < 5; round++)
        {
            Directory.Delete(model.Beside, recursive: true);
            using var done = new CancellationTokenSource();
            var seen = new ConcurrentBag<byte[]>();

            // Whoever looks meanwhile sees no file or the whole file.
            Task watcher = Task.Run(() =>
            {
                while (!done.IsCancellationRequested)
                {
                    try
                    {
                        seen.Add(File.ReadAllBytes(model.DecoderFile));
                    }
                    catch (IOException)
                    {
                        // Not there yet.
                    }
                }
            });
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => model.Open())));
            await done.CancelAsync();
            await watcher;
            Assert.All(seen, bytes => Assert.Equal(whole, bytes));
            Assert.Equal(2, Directory.GetFiles(model.Beside).Length);
            Assert.Equal(0, model.Open());
        }
    }

    [Fact]
    public void CancellingLeavesNothingBehindAndCanBeRepeated()
    {
        using var model = new QuantisableModel();
        using var checkpoint = Checkpoint.Open(model.Folder);
        QuantisedLayout[] layouts = [QuantisedLayout.Of(checkpoint, LinearGroup.Decoder, Int8PerToken.Signed)];
        using var source = new CancellationTokenSource();
        var recorder = new QuantisableModel.Recorder(progress =>
        {
            if (progress.Done == 4)
            {
                source.Cancel();
            }
        });
        Assert.ThrowsAny<OperationCanceledException>(() => WeightCache.Open(layouts, new ModelOptions { Progress = recorder, CancellationToken = source.Token }));
        Assert.Equal(4, recorder.Reports.Count);
        Assert.Empty(Directory.GetFiles(model.Beside));
        Assert.Equal(DecoderWeights + VisionWeights, model.Open());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void AWeightThatIsNoNumberIsNamed(float weight)
    {
        using var model = new QuantisableModel();
        model.Overwrite(4, [weight]);
        var error = Assert.Throws<NonFiniteWeightException>(() => model.Open());
        Assert.Equal("lm_head.weight", error.Tensor);
        Assert.Equal(model.Weights, error.File);
        Assert.Empty(Directory.GetFiles(model.Beside));
    }

    [Fact]
    public void OnlyAbandonedUnfinishedFilesAreRemoved()
    {
        using var model = new QuantisableModel();
        Directory.CreateDirectory(model.Beside);
        string young = Path.Combine(model.Beside, "decoder-int8-v1.safetensors.abc.tmp");
        string old = Path.Combine(model.Beside, "decoder-int8-v1.safetensors.def.tmp");
        File.WriteAllText(young, "");
        File.WriteAllText(old, "");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow - TimeSpan.FromDays(2));
        model.Open();
        Assert.True(File.Exists(young));
        Assert.False(File.Exists(old));
    }

    [Fact]
    public void MappedWeightsOutliveTheCheckpointAndAReplacedFile()
    {
        using var model = new QuantisableModel();
        model.Open();
        byte[] whole = File.ReadAllBytes(model.DecoderFile);
        model.Open(use: opened =>
        {
            WeightUse use;
            using (Checkpoint checkpoint = Checkpoint.Open(model.Folder))
            {
                use = QuantisedLayout.Of(checkpoint, LinearGroup.Decoder, Int8PerToken.Signed).Weights[^1].Integers;
            }

            Assert.True(opened[0].TryGet(use, out OrtValue? value));
            opened[0].Dispose();
            File.Delete(model.DecoderFile);
            Assert.Equal(DecoderWeights, model.Open());
            Assert.Equal(whole[^(int)use.ByteCount..], value.AsSpan<byte>());
            value.Dispose();
        });
    }

    private static IEnumerable<byte[]> Damages(byte[] whole, Random random)
    {
        yield return [];
        yield return whole[..1];
        yield return whole[..8];
        yield return whole[..(8 + (int)BitConverter.ToInt64(whole))];
        yield return whole[..^1];
        yield return [.. whole, 0];
        yield return new byte[whole.Length];
        for (int i = 0; i < 40; i++)
        {
            // Half of them in the header, where most of the meaning is.
            byte[] flipped = [.. whole];
            flipped[random.Next(i % 2 == 0 ? 8 + (int)BitConverter.ToInt64(whole) : whole.Length)] ^= (byte)(1 << random.Next(8));
            yield return flipped;
        }
    }
}
