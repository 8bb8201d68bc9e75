using System.Runtime.InteropServices;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.OnnxRuntime;

public class OnnxRuntimeLibraryTests
{
    [Fact]
    public void TheLibraryIsNewEnoughAndSaysWhereItIs()
    {
        Assert.True(Version.Parse(OnnxRuntimeLibrary.Version) >= new Version(1, 30));
        Assert.True(File.Exists(OnnxRuntimeLibrary.Path), OnnxRuntimeLibrary.Path);
        Assert.Contains("CPUExecutionProvider", OnnxRuntimeLibrary.Providers);
    }

    [Fact]
    public void TheLibraryLiesBesideTheApplication()
    {
        Assert.Equal(AppContext.BaseDirectory, Path.GetDirectoryName(OnnxRuntimeImage.Open(null, AppContext.BaseDirectory, OnnxRuntimeImage.FileNames()).Path) + Path.DirectorySeparatorChar);
    }

    [Fact]
    public void TheFolderOfANuGetPackageIsLookedInto()
    {
        using var folder = new TemporaryFolder();
        string native = Directory.CreateDirectory(Path.Combine(folder.Path, "runtimes", RuntimeInformation.RuntimeIdentifier, "native")).FullName;
        string file = Path.Combine(native, Path.GetFileName(OnnxRuntimeLibrary.Path));
        File.CreateSymbolicLink(file, OnnxRuntimeLibrary.Path);

        Assert.Equal(file, OnnxRuntimeImage.Open(null, folder.Path, OnnxRuntimeImage.FileNames()).Path);
    }

    [Fact]
    public void AMissingLibraryListsWhatWasTriedAndTheFix()
    {
        // By another name: the system's loader finds the real one, because this process has loaded it.
        const string Name = "libonnxruntime-that-nobody-has.so";
        using var folder = new TemporaryFolder();

        var e = Assert.Throws<OnnxRuntimeNotFoundException>(() => OnnxRuntimeImage.Open(null, folder.Path, [Name]));

        Assert.Contains(Path.Combine(folder.Path, Name), e.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(folder.Path, "runtimes"), e.Message, StringComparison.Ordinal);
        Assert.Contains(OnnxRuntimeImage.Variable, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ANamedFileThatDoesNotExistIsNotReplacedByAnother()
    {
        var e = Assert.Throws<OnnxRuntimeNotFoundException>(() => OnnxRuntimeImage.Open("/no/such/libonnxruntime.so", AppContext.BaseDirectory, OnnxRuntimeImage.FileNames()));

        Assert.Contains("/no/such/libonnxruntime.so", e.Message, StringComparison.Ordinal);
        Assert.Contains(OnnxRuntimeImage.Variable, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatIsNoLibrarySaysSo()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "libonnxruntime.so.1");
        File.WriteAllText(file, "not a library");

        var e = Assert.Throws<OnnxRuntimeNotFoundException>(() => OnnxRuntimeImage.Open(file, AppContext.BaseDirectory, OnnxRuntimeImage.FileNames()));

        Assert.Contains(file, e.Message, StringComparison.Ordinal);
        Assert.Contains("cannot load", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherLibraryIsRecognised()
    {
        nint library = NativeLibrary.GetMainProgramHandle();

        var e = Assert.Throws<OnnxRuntimeNotFoundException>(() => OnnxRuntimeImage.Bind(library, "the test host", OrtApi.Version));

        Assert.Contains("OrtGetApiBase", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(31)] // Asked of the library, which has no such table.
    [InlineData(1000)] // Recognised by the version alone.
    public void ALibraryThatIsTooOldIsNamedWithItsVersion(int version)
    {
        nint library = NativeLibrary.Load(OnnxRuntimeLibrary.Path);
        if (Version.Parse(OnnxRuntimeLibrary.Version).Minor >= version)
        {
            version = Version.Parse(OnnxRuntimeLibrary.Version).Minor + 1;
        }

        var e = Assert.Throws<OnnxRuntimeVersionException>(() => OnnxRuntimeImage.Bind(library, OnnxRuntimeLibrary.Path, (uint)version));

        Assert.Equal(OnnxRuntimeLibrary.Version, e.Version);
        Assert.Equal(OnnxRuntimeLibrary.Path, e.Path);
        Assert.Contains($"1.{version} or later", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void AnEmptySlotOfTheTableIsFoundWhenItIsReadNotWhenItIsCalled()
    {
        var table = new nint[425];
        Array.Fill(table, 1);
        table[133] = 0;
        string message = "";
        fixed (nint* pointer = table)
        {
            try
            {
                _ = new OrtApi(pointer);
            }
            catch (OnnxRuntimeNotFoundException e)
            {
                message = e.Message;
            }
        }

        Assert.Contains("133", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void WithoutASettingAllProcessorsCompute(string? variable) =>
        Assert.Equal(Math.Min(Environment.ProcessorCount, OrtEnvironment.MaximumThreads), OrtEnvironment.ThreadsFrom(variable));

    [Fact]
    public void TheVariableSetsTheNumberOfThreads() => Assert.Equal(3, OrtEnvironment.ThreadsFrom("3"));

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1025")]
    [InlineData("two")]
    [InlineData("99999999999")]
    public void ANumberOfThreadsThatMakesNoSenseIsRefused(string variable)
    {
        var e = Assert.Throws<OnnxRuntimeConfigurationException>(() => OrtEnvironment.ThreadsFrom(variable));

        Assert.Contains($"'{variable}'", e.Message, StringComparison.Ordinal);
        Assert.Contains(OrtEnvironment.ThreadsVariable, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThreadsCannotBeChangedOnceTheyRun()
    {
        _ = OrtEnvironment.Shared;

        Assert.Throws<InvalidOperationException>(() => OnnxRuntimeLibrary.ConfigureThreads(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => OnnxRuntimeLibrary.ConfigureThreads(0));
    }
}
