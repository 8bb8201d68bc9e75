using Espalier.Imaging;
using Espalier.Imaging.Native;

namespace Espalier.Tests.Imaging;

public sealed class LibvipsLocationTests
{
    [Fact]
    public void AMissingLibrarySaysWhereItWasLookedForAndWhatToDo()
    {
        string folder = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}");
        var error = Assert.Throws<ImageException>(() => LibvipsLocation.Load(null, folder));
        Assert.Equal(ImageFault.LibraryUnavailable, error.Fault);
        Assert.Contains(folder, error.Message, StringComparison.Ordinal);
        Assert.Contains("npm", error.Message, StringComparison.Ordinal);
        Assert.Contains("ESPALIER_LIBVIPS", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AWrongVariableIsNamed()
    {
        var error = Assert.Throws<ImageException>(() => LibvipsLocation.Load("/no/such/libvips.so", AppContext.BaseDirectory));
        Assert.Equal(ImageFault.LibraryUnavailable, error.Fault);
        Assert.Contains("ESPALIER_LIBVIPS", error.Message, StringComparison.Ordinal);
        Assert.Contains("/no/such/libvips.so", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatIsNoLibraryIsNamed()
    {
        string file = SampleImages.Find("rgb.png");
        var error = Assert.Throws<ImageException>(() => LibvipsLocation.Load(file, AppContext.BaseDirectory));
        Assert.Equal(ImageFault.LibraryUnavailable, error.Fault);
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheVariableComesBeforeTheFileBesideTheApplication()
    {
        // The build puts the library beside the tests, so a wrong variable must not be papered over by it.
        Assert.NotEqual(0, LibvipsLocation.Load(null, AppContext.BaseDirectory));
        Assert.Throws<ImageException>(() => LibvipsLocation.Load("/no/such/libvips.so", AppContext.BaseDirectory));
    }
}
