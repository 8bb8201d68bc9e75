using System.Runtime.InteropServices;
using Espalier.Graphs.Formats;
using Espalier.Tests.Checkpoints;

namespace Espalier.Tests.Quantisation;

/// <summary>A small checkpoint in a folder of its own, and what a test asks about its quantised weights.</summary>
internal sealed class QuantisableModel : IDisposable
{
    /// <summary>Linear layers of the decoder: seven a layer and the head.</summary>
    public const int DecoderWeights = (2 * 7) + 1;

    /// <summary>Linear layers before it: six each of the two tower layers that are run, and two of the projector.</summary>
    public const int VisionWeights = (2 * 6) + 2;

    private readonly TemporaryFolder _folder = new();

    public QuantisableModel(string type = "F32", int shards = 1, SmallModel.Layout layout = SmallModel.Layout.Old, bool tied = false)
    {
        SmallModel.Write(_folder, SmallModel.Tensors(layout, tied), type, shards);
        Age(TimeSpan.FromHours(1));
    }

    public string Folder => _folder.Path;

    public string Weights => _folder["model.safetensors"];

    public string Beside => _folder[".espalier"];

    public string DecoderFile => Path.Combine(Beside, "decoder-int8-v1.safetensors");

    public string VisionFile => Path.Combine(Beside, "vision-int8-v1.safetensors");

    public void Dispose() => _folder.Dispose();

    /// <summary>Dates the checkpoint back, as one that was there before its quantised weights.</summary>
    public void Age(TimeSpan age)
    {
        foreach (string file in Directory.EnumerateFiles(Folder, "*.safetensors"))
        {
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow - age);
        }
    }

    /// <summary>Opens the files of int8, as loading does; returns how many weights were quantised for it.</summary>
    public int Open(ModelOptions? options = null, Action<IReadOnlyList<QuantisedWeights>>? use = null, QuantisedFormat? format = null)
    {
        using Checkpoint checkpoint = Checkpoint.Open(Folder);
        var progress = new Recorder();
        options = (options ?? new ModelOptions()) with { Progress = progress };
        format ??= Int8PerToken.Signed;
        IReadOnlyList<QuantisedWeights> opened = WeightCache.Open(
            [QuantisedLayout.Of(checkpoint, LinearGroup.Decoder, format), QuantisedLayout.Of(checkpoint, LinearGroup.Vision, format)],
            options);
        use?.Invoke(opened);
        foreach (QuantisedWeights weights in opened)
        {
            weights.Dispose();
        }

        return progress.Reports.Count;
    }

    /// <summary>Replaces bytes of the checkpoint's data, counted from the end of the file.</summary>
    public void Overwrite(long fromEnd, ReadOnlySpan<float> values)
    {
        using FileStream file = File.Open(Weights, FileMode.Open, FileAccess.ReadWrite);
        file.Seek(-fromEnd, SeekOrigin.End);
        file.Write(MemoryMarshal.AsBytes(values));
    }

    /// <summary>Remembers what it is told; on the telling thread, unlike <see cref="Progress{T}"/>.</summary>
    public sealed class Recorder(Action<LoadProgress>? then = null) : IProgress<LoadProgress>
    {
        public List<LoadProgress> Reports { get; } = [];

        public void Report(LoadProgress value)
        {
            Reports.Add(value);
            then?.Invoke(value);
        }
    }
}
