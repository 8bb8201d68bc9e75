using System.Globalization;
using System.Reflection;

namespace Espalier.Tests;

/// <summary>The packages, packed from what was built, in a folder outside the repository, and what a user has around them.</summary>
public sealed class PackedFeed : IAsyncLifetime
{
    /// <summary>The tests that share one feed, one after the other: each of them keeps all processors busy.</summary>
    public const string Collection = "packages";

    private static readonly string[] Projects = ["Espalier.Runtime", "Espalier.Imaging", "Espalier.Extensions.AI", "Espalier.Tool", "Espalier.Templates"];

    private readonly TemporaryFolder _folder = new();

    /// <summary>A version that no other feed or cache has: packages are cached by version. A stable one, which is found where none is named.</summary>
    public string Version { get; } = "0.0." + ((long)(DateTime.UtcNow - new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc)).TotalSeconds).ToString(CultureInfo.InvariantCulture);

    /// <summary>The packages.</summary>
    public string Feed => _folder["feed"];

    /// <summary>An empty folder that restores from the feed and from the machine's own sources.</summary>
    public string NewFolder(string name)
    {
        string folder = _folder[name];
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>What a user has in the environment: no setting of a test host, and a home and a temporary folder that are gone with the tests.</summary>
    internal Dictionary<string, string?> Environment()
    {
        string temporary = _folder["tmp"];
        Directory.CreateDirectory(temporary);
        return new()
        {
            ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
            ["DOTNET_NOLOGO"] = "1",
            ["DOTNET_CLI_UI_LANGUAGE"] = "en",
            ["DOTNET_SKIP_FIRST_TIME_EXPERIENCE"] = "1",
            ["DOTNET_CLI_HOME"] = _folder["home"],
            ["MSBUILDDISABLENODEREUSE"] = "1",
            ["MSBuildSDKsPath"] = null,
            ["MSBUILD_EXE_PATH"] = null,

            // Every "dotnet build" of the SDK 10.0.401 leaves two empty folders in it.
            ["TMPDIR"] = temporary,
        };
    }

    /// <summary>Runs dotnet as a user does who has only these packages.</summary>
    internal Task<ChildProcess> Dotnet(string folder, params string[] arguments) => Dotnet(folder, new Dictionary<string, string?>(), arguments);

    /// <inheritdoc cref="Dotnet(string, string[])"/>
    internal Task<ChildProcess> Dotnet(string folder, IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        Dictionary<string, string?> all = Environment();
        foreach ((string name, string? value) in environment)
        {
            all[name] = value;
        }

        return ChildProcess.RunDotnet(folder, all, arguments);
    }

    /// <summary>Packs the projects into a folder.</summary>
    public async Task Pack(string output)
    {
        string configuration = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(static data => data.Key == "Configuration").Value!;
        foreach (string project in Projects)
        {
            ChildProcess pack = await Dotnet(
                RepositoryFolder.Root, "pack", Path.Combine("runtime", project), "-c", configuration, "--no-build", "-o", output, "-v", "q", "-p:PackageVersion=" + Version);
            Assert.True(pack.ExitCode == 0, pack.Output + pack.Errors);
        }
    }

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        // Packages of other origin come from the machine's folder where they are there already.
        string packages = System.Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(
            _folder["nuget.config"],
            $"""
            <configuration>
              <config>
                <add key="globalPackagesFolder" value="{_folder["packages"]}" />
              </config>
              <packageSources>
                <add key="packed" value="{Feed}" />
              </packageSources>
              <fallbackPackageFolders>
                <add key="machine" value="{packages}" />
              </fallbackPackageFolders>
            </configuration>
            """);
        Directory.CreateDirectory(packages);
        await Pack(Feed);
    }

    /// <inheritdoc/>
    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }
}

/// <summary>Packs once.</summary>
[CollectionDefinition(PackedFeed.Collection)]
public sealed class PackedFeedCollection : ICollectionFixture<PackedFeed>;
