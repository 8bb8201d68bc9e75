using System.Runtime.InteropServices;
using Espalier.Imaging;
using Espalier.Text;
using Espalier.Vision;

namespace Espalier.Tests.Checkpoints;

/// <summary>A pipe in place of a file must be refused, not waited for.</summary>
public sealed class PipeTests
{
    [Fact]
    public Task ATokenizerIsNoPipe() => Refused<TokenizerException>(static path => Tokenizer.Open(path));

    [Fact]
    public Task APreprocessorIsNoPipe() => Refused<PreprocessorException>(static path => ImagePreprocessor.Open(path));

    [Fact]
    public Task AnImageIsNoPipe() => Refused<ImageException>(static path => ImageDecoder.Load(path));

    private static async Task Refused<TException>(Func<string, object> open)
        where TException : Exception
    {
        Assert.False(OperatingSystem.IsWindows(), "Pipes with a path are POSIX; run these tests on Linux or macOS.");
        string path = Path.Combine(Directory.CreateTempSubdirectory("espalier-pipe").FullName, "pipe");
        Assert.Equal(0, MakePipe(path, 384));
        Task<object> opening = Task.Run(() => open(path));
        Assert.Same(opening, await Task.WhenAny(opening, Task.Delay(TimeSpan.FromSeconds(20))));
        await Assert.ThrowsAsync<TException>(() => opening);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [DllImport("libc", EntryPoint = "mkfifo", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int MakePipe(string path, uint mode);
}
