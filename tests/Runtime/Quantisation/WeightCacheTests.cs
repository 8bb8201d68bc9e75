using System.Collections.Concurrent;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.Quantisation;

/// <summary>Files of quantised weights: made once and found again, whoever else is at it.</summary>
public sealed class WeightCacheTests
{
    [Fact]
    public void FilesAreMadeOnceAndMappedFromThenOn()
    {
        using var model = new QuantisableModel();
        Assert.Equal(QuantisableModel.DecoderWeights + QuantisableModel.VisionWeights, model.Open());
        Assert.Equal(["decoder-int8-v1.safetensors", "vision-int8-v1.safetensors"], Directory.EnumerateFiles(model.Beside).Select(Path.GetFileName).Order());
        DateTime written = File.GetLastWriteTimeUtc(model.DecoderFile);
        byte[] bytes = File.ReadAllBytes(model.DecoderFile);

        Assert.Equal(0, model.Open(use: opened => Assert.Equal([model.DecoderFile, model.VisionFile], opened.Select(static weights => weights.File))));
        Assert.Equal(written, File.GetLastWriteTimeUtc(model.DecoderFile));
        Assert.Equal(bytes, File.ReadAllBytes(model.DecoderFile));

        // Another format is another file.
        Assert.Equal(QuantisableModel.DecoderWeights + QuantisableModel.VisionWeights, model.Open(format: Int4Blocks.Instance));
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

        Assert.Equal(Enumerable.Range(1, QuantisableModel.VisionWeights).Select(static done => new LoadProgress(LoadStage.QuantiseWeights, done, QuantisableModel.VisionWeights)), recorder.Reports);
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
        Assert.Equal(QuantisableModel.DecoderWeights + QuantisableModel.VisionWeights, model.Open());
        Assert.Contains("language_model.embed_tokens.weight.int8", File.ReadAllText(model.DecoderFile, System.Text.Encoding.Latin1), StringComparison.Ordinal);
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
        Assert.Equal(QuantisableModel.DecoderWeights + QuantisableModel.VisionWeights, model.Open());
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
            Assert.Equal(QuantisableModel.DecoderWeights, model.Open());
            Assert.Equal(whole[^(int)use.ByteCount..], value.AsSpan<byte>());
            value.Dispose();
        });
    }
}
