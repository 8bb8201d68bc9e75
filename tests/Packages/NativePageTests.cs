namespace Espalier.Tests;

/// <summary>The commands of generator/docs/native.md, by somebody who has only the packages. A warning of the compilers, the trimmer's among them, ends them.</summary>
[Collection(PackedFeed.Collection)]
public sealed class NativePageTests(PackedFeed feed)
{
    [Fact]
    public async Task EveryCommandRunsAndPrintsWhatIsShown()
    {
        if (System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier != "linux-x64" && !File.Exists("/etc/debian_version"))
        {
            return;
        }

        string folder = feed.NewFolder("native-page");
        Dictionary<string, string?> environment = feed.Environment();
        environment["TreatWarningsAsErrors"] = "true";
        environment["CppCompilerAndLinker"] = File.Exists("/usr/bin/clang") || !File.Exists("/usr/bin/gcc") ? null : "gcc";
        Assert.InRange(await DocumentedCommands.Run("generator/docs/native.md", folder, environment), 5, 20);
    }
}
