namespace Espalier.Tests;

/// <summary>What all tests on a WebGPU device share: two checkpoints whose sessions live as long as the tests. With the last session the device would go, and with it every shader that was compiled for it: in software that is most of what a small test takes.</summary>
public sealed class WebGpuSessions : IDisposable
{
    private readonly Kept _shapes = new(RepositoryFolder.Combine("samples", "models", "shapes"));
    private readonly Kept _tiny = new(Goldens.Of("clip-llama").CheckpointFolder);

    /// <summary>Single precision on the device.</summary>
    internal static ModelOptions OnDevice { get; } = new() { Device = Device.WebGpu };

    /// <summary>The sample's checkpoint.</summary>
    public Checkpoint Shapes => _shapes.Checkpoint;

    /// <summary>The smallest reference checkpoint.</summary>
    public Checkpoint Tiny => _tiny.Checkpoint;

    /// <inheritdoc/>
    public void Dispose()
    {
        _shapes.Dispose();
        _tiny.Dispose();
    }

    /// <summary>A declared class of the smallest checkpoint, on the device.</summary>
    internal TinyModel Load(Type variant) => TinyModel.Of(variant, OnDevice, Tiny);

    /// <summary>A checkpoint, opened at its first use, with one reference to its sessions.</summary>
    private sealed class Kept(string folder) : IDisposable
    {
        private readonly Lazy<(Checkpoint Checkpoint, SessionCache Sessions)> _opened = new(() =>
        {
            Checkpoint checkpoint = Checkpoint.Open(folder);
            return (checkpoint, checkpoint.ShareSessions());
        });

        public Checkpoint Checkpoint => _opened.Value.Checkpoint;

        public void Dispose()
        {
            if (_opened.IsValueCreated)
            {
                _opened.Value.Sessions.Release();
                _opened.Value.Checkpoint.Dispose();
            }
        }
    }
}

/// <summary>The tests that use the device: one after another, since it takes one run at a time.</summary>
[CollectionDefinition(Name)]
public sealed class WebGpuCollection : ICollectionFixture<WebGpuSessions>
{
    public const string Name = "WebGPU";
}
