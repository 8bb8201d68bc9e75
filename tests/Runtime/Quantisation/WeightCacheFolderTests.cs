using Espalier.Tests.Checkpoints;

namespace Espalier.Tests.Quantisation;

/// <summary>Where files of quantised weights lie: beside the checkpoint, else in the user's cache, or where the program says.</summary>
public sealed class WeightCacheFolderTests
{
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
            Assert.Equal(QuantisableModel.DecoderWeights + QuantisableModel.VisionWeights, model.Open(use: opened => Assert.All(opened, weights => Assert.StartsWith(cache["espalier"], weights.File, StringComparison.Ordinal))));
            Assert.Equal(0, model.Open());
            using var other = new QuantisableModel();
            File.WriteAllText(other.Beside, "");
            Assert.Equal(QuantisableModel.DecoderWeights + QuantisableModel.VisionWeights, other.Open());
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
        Assert.Equal(QuantisableModel.DecoderWeights + QuantisableModel.VisionWeights, model.Open(options));
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
}
