namespace Espalier.Tests;

/// <summary>A folder for quantised weights that is gone with the tests of a class, so that none lie about beside the repository's checkpoints.</summary>
public sealed class QuantisedFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("espalier-").FullName;

    public ModelOptions Options(Precision? precision) => new() { Precision = precision, CacheFolder = _path };

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
