namespace Espalier.Tests.Quantisation;

/// <summary>Files of quantised weights that are stale, damaged or somebody else's are made anew.</summary>
public sealed class StaleWeightCacheTests
{
    [Fact]
    public void OtherWeightsMakeTheFilesAnew()
    {
        using var model = new QuantisableModel();
        model.Open();
        byte[] before = File.ReadAllBytes(model.DecoderFile);
        model.Overwrite(4 * 96 * 64, [7.5f]);

        // Even where the date of the checkpoint says that it is older than the file.
        model.Age(TimeSpan.FromDays(1));
        Assert.Equal(QuantisableModel.DecoderWeights, model.Open());
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
        Assert.Equal(QuantisableModel.DecoderWeights, model.Open());
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
            Assert.Equal(damaged.AsSpan().SequenceEqual(whole) ? 0 : QuantisableModel.DecoderWeights, made);
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
            Assert.Equal(QuantisableModel.DecoderWeights, model.Open());
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
