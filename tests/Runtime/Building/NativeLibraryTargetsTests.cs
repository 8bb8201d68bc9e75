using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Espalier.Tests.Building;

/// <summary>runtime/build/Espalier.NativeLibraries.targets, run by MSBuild on a project of its own with a cache of its own. The npm package is a folder beside it, so that no registry is asked.</summary>
public sealed class NativeLibraryTargetsTests : IDisposable
{
    private const string Content = "not a library, but a file of one";
    private const string LibraryFile = "libthing.so.1";

    private readonly TemporaryFolder _folder = new();

    public NativeLibraryTargetsTests()
    {
        // `npm pack <folder>@<version>` takes a folder of that name for what it should pack.
        string package = _folder["thing@1.0.0"];
        Directory.CreateDirectory(package);
        File.WriteAllText(Path.Combine(package, "package.json"), """{ "name": "thing", "version": "1.0.0" }""");
        File.WriteAllText(Path.Combine(package, LibraryFile), Content);
    }

    private static string Sha256OfContent => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Content)));

    private string Cache => _folder["cache"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AFileIsFetchedOnceAndThenTakenFromTheCache()
    {
        string fetched = await Succeed(Library(Sha256OfContent));
        Assert.Contains("Fetching thing from the npm package", fetched, StringComparison.Ordinal);
        string file = Assert.Single(Directory.GetFiles(Cache, "*", SearchOption.AllDirectories));
        Assert.Equal(Content, File.ReadAllText(file));
        Assert.Contains("copied " + file, fetched, StringComparison.Ordinal);
        string again = await Succeed(Library(Sha256OfContent), withoutNpm: true);
        Assert.DoesNotContain("Fetching", again, StringComparison.Ordinal);
        Assert.Contains("copied " + file, again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFileOfAnotherHashIsNotUsed()
    {
        string wrong = new('0', 64);
        string error = await Fail(Library(wrong));
        Assert.Contains($"has the SHA-256 {Sha256OfContent}, not {wrong} as Espalier expects. It was not used.", error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task AFileThatThePackageLacksIsNamed()
    {
        string error = await Fail(Library(Sha256OfContent, path: "package/other.so"));
        Assert.Contains("'tar' did not find 'package/other.so' in the archive of ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutNpmTheErrorSaysWhatToDo()
    {
        string error = await Fail(Library(Sha256OfContent), withoutNpm: true);
        Assert.Contains("Espalier needs the native library thing, and 'npm pack ", error, StringComparison.Ordinal);
        Assert.Contains("Install npm (it comes with Node.js) and check that it reaches its registry, or bring your own.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUnknownRuntimeIdentifierNamesTheKnownOnes()
    {
        string error = await Fail(RealLibrary, rid: "haiku-x64");
        Assert.Contains("Espalier knows no onnxruntime library for the runtime identifier 'haiku-x64'. Build for one that it knows (linux-x64, linux-arm64, ", error, StringComparison.Ordinal);
        Assert.Contains("set the environment variable ESPALIER_ONNXRUNTIME", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALibraryThatTheUserBringsIsNotFetched()
    {
        string output = await Succeed(RealLibrary, withoutNpm: true, provided: _folder["mine.so"], rid: "haiku-x64");
        Assert.DoesNotContain("Fetching", output, StringComparison.Ordinal);
        Assert.EndsWith("copied", output.TrimEnd(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Cache));
    }

    private static string RealLibrary => $"""<Import Project="{RepositoryFolder.Combine("runtime", "Espalier.Runtime", "build", "Espalier.Runtime.NativeLibraries.props")}" />""";

    private string Library(string sha256, string path = "package/" + LibraryFile) => $"""
        <ItemGroup>
          <EspalierNativeLibrary Include="thing" Assembly="Espalier.Runtime" Rid="linux-x64" NpmPackage="{_folder["thing"]}" NpmVersion="1.0.0"
                                 Path="{path}" LibraryFile="{LibraryFile}" Sha256="{sha256}" Remedy="bring your own" />
        </ItemGroup>
        """;

    /// <summary>A search path with the shell that MSBuild runs commands in, and nothing else.</summary>
    private string ShellAlone()
    {
        if (OperatingSystem.IsWindows())
        {
            return Environment.SystemDirectory;
        }

        string folder = Directory.CreateDirectory(_folder["bin"]).FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "sh"), "/bin/sh");
        return folder;
    }

    private async Task<string> Succeed(string library, bool withoutNpm = false, string? provided = null, string rid = "linux-x64")
    {
        ChildProcess build = await Build(library, withoutNpm, provided, rid);
        Assert.True(build.ExitCode == 0, build.Output + build.Errors);
        return build.Output.Replace("//", "/", StringComparison.Ordinal);
    }

    /// <summary>The one error; nothing may lie in the cache then.</summary>
    private async Task<string> Fail(string library, bool withoutNpm = false, string rid = "linux-x64")
    {
        ChildProcess build = await Build(library, withoutNpm, provided: null, rid);
        Assert.Equal(1, build.ExitCode);
        Assert.DoesNotMatch(@"\bwarning\b", build.Output);
        Assert.Empty(Directory.Exists(Cache) ? Directory.GetFiles(Cache, "*", SearchOption.AllDirectories) : []);
        string[] errors = [.. build.Output.Split('\n').Where(line => Regex.IsMatch(line, @"\berror\b\s*:"))];
        Assert.True(errors.Length == 1, build.Output);
        return errors[0];
    }

    private Task<ChildProcess> Build(string library, bool withoutNpm, string? provided, string rid)
    {
        File.WriteAllText(_folder["application.proj"], $"""
            <Project>
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <RuntimeIdentifier>{rid}</RuntimeIdentifier>
              </PropertyGroup>
              <ItemGroup>
                <ReferencePath Include="Espalier.Runtime.dll" />
              </ItemGroup>
              {library}
              <Target Name="ResolveAssemblyReferences" />
              <Import Project="{RepositoryFolder.Combine("runtime", "build", "Espalier.NativeLibraries.targets")}" />
              <Target Name="Application" DependsOnTargets="ResolveAssemblyReferences">
                <Message Importance="high" Text="copied @(ReferenceCopyLocalPaths)" />
              </Target>
            </Project>
            """);
        var environment = new Dictionary<string, string?> { ["ESPALIER_CACHE"] = Cache, ["ESPALIER_ONNXRUNTIME"] = provided };
        if (withoutNpm)
        {
            environment["PATH"] = ShellAlone();
        }

        return ChildProcess.RunDotnet(_folder.Path, environment, "msbuild", "application.proj", "-t:Application", "-nologo", "-v:m", "-clp:NoSummary", "-nodeReuse:false", "-m:1");
    }
}
