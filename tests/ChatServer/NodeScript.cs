using System.Security.Cryptography;

namespace Espalier.Tests;

/// <summary>Runs the scripts of the folder node, with the packages that its lock file pins.</summary>
/// <remarks>They are installed once for each lock file, outside the repository, without any install script.</remarks>
internal static class NodeScript
{
    private static readonly string Source = Path.Combine(AppContext.BaseDirectory, "node");
    private static readonly Dictionary<string, string?> NoVariables = [];
    private static readonly Lazy<Task<string>> Installed = new(InstallAsync);

    public static string? Chromium { get; } = Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } named ? named : Find("chromium") ?? Find("chromium-browser");

    public static bool IsAvailable { get; } = Find("node") is not null && Find("npm") is not null;

    /// <summary>Runs a script; the test fails with what it wrote if it fails.</summary>
    public static async Task<string> RunAsync(string script, params string[] arguments)
    {
        string folder = await Installed.Value;
        using var copy = new TemporaryFolder();
        File.Copy(Path.Combine(Source, script), copy[script]);
        Directory.CreateSymbolicLink(copy["node_modules"], Path.Combine(folder, "node_modules"));
        ChildProcess ended = await ChildProcess.Run("node", copy.Path, NoVariables, [script, .. arguments]);
        Assert.True(ended.ExitCode == 0, ended.Output + ended.Errors);
        return ended.Output;
    }

    private static async Task<string> InstallAsync()
    {
        string cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "espalier", "tests");
        string folder = Path.Combine(cache, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Source, "package-lock.json"))))[..16]);
        if (Directory.Exists(folder))
        {
            return folder;
        }

        // Into a folder of its own and then under its name, so that nobody finds half of it.
        string staging = folder + "-" + Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(staging);
        File.Copy(Path.Combine(Source, "package.json"), Path.Combine(staging, "package.json"));
        File.Copy(Path.Combine(Source, "package-lock.json"), Path.Combine(staging, "package-lock.json"));
        ChildProcess npm = await ChildProcess.Run("npm", staging, NoVariables, "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        Assert.True(npm.ExitCode == 0, npm.Output + npm.Errors);
        try
        {
            Directory.Move(staging, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            Directory.Delete(staging, recursive: true);
        }

        return folder;
    }

    /// <summary>A program on PATH.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);
}
