using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Espalier.CommandLine;
using Espalier.Evaluation;

namespace Espalier.Tool;

/// <summary>Finds the native libraries of an installed tool, whose package holds none: builds of programs put them beside the program, the tool takes them from the same cache.</summary>
internal static class NativeLibraries
{
    private const string Project = "Espalier.Tool.NativeLibraries.proj";

    private static readonly (string Library, string Variable)[] Needed = [("onnxruntime", "ESPALIER_ONNXRUNTIME"), ("libvips", "ESPALIER_LIBVIPS")];

    /// <summary>Sees to it that the libraries can be loaded: fetches them once for the machine, by the build targets that programs use.</summary>
    /// <exception cref="InputException">They cannot be fetched; the message says what to do.</exception>
    public static void Ensure(Terminal terminal)
    {
        // Only the package has this file; a build has the libraries beside it.
        string project = Path.Combine(AppContext.BaseDirectory, "build", Project);
        if (!File.Exists(project) || Array.TrueForAll(Needed, static needed => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(needed.Variable))))
        {
            return;
        }

        string known = Path.Combine(CacheFolder(), "tool", typeof(NativeLibraries).Assembly.GetName().Version + "-" + Rid() + ".json");
        JsonObject files = Read(known) ?? terminal.Status("fetching native libraries, once for this machine", _ => Fetch(project, known));
        foreach ((string library, string variable) in Needed)
        {
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable)))
            {
                Environment.SetEnvironmentVariable(variable, files[library]!.GetValue<string>());
            }
        }
    }

    private static JsonObject? Read(string known)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(known)) is JsonObject files && Array.TrueForAll(Needed, needed => files[needed.Library]?.GetValue<string>() is { } file && File.Exists(file)) ? files : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or System.Text.Json.JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static JsonObject Fetch(string project, string known)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["msbuild", project, "-nologo", "-v:q", "-t:Libraries", "-getItem:EspalierLibrary", $"-p:RuntimeIdentifier={Rid()}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(project)!,
        };
        string output;
        string errors;
        int code;
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> reading = process.StandardError.ReadToEndAsync();
            output = process.StandardOutput.ReadToEnd();
            errors = reading.GetAwaiter().GetResult();
            process.WaitForExit();
            code = process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InputException($"the native libraries are fetched by the .NET SDK, and 'dotnet' cannot be started: {exception.Message}. Put it on the PATH, or set {string.Join(" and ", Needed.Select(static needed => needed.Variable))} to the paths of the libraries.");
        }

        if (code != 0)
        {
            // MSBuild puts its name for the place in front of each message.
            string message = (output + "\n" + errors).Split('\n').FirstOrDefault(static line => line.Contains(": error", StringComparison.Ordinal)) ?? output + errors;
            throw new InputException(message[(message.IndexOf(": error", StringComparison.Ordinal) is var at && at < 0 ? 0 : at + 2)..].Trim());
        }

        var files = new JsonObject();
        foreach (JsonNode? item in JsonNode.Parse(output)!["Items"]!["EspalierLibrary"]!.AsArray())
        {
            files[item!["Library"]!.GetValue<string>()] = item["FullPath"]!.GetValue<string>();
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(known)!);
            File.WriteAllText(known, files.ToJsonString());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Only a note for the next time, which then asks again.
        }

        return files;
    }

    /// <summary>The cache of the build targets.</summary>
    private static string CacheFolder() =>
        Environment.GetEnvironmentVariable("ESPALIER_CACHE") is { Length: > 0 } cache ? cache
        : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } home ? Path.Combine(home, "espalier")
        : OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "espalier")
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "espalier");

    private static string Rid()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal) ? "linux-musl" : "linux";
        return system + "-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
    }
}
