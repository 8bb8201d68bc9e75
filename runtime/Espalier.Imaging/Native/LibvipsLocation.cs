using System.Runtime.InteropServices;

namespace Espalier.Imaging.Native;

/// <summary>Finds the libvips file.</summary>
internal static class LibvipsLocation
{
    /// <summary>The environment variable that names another file.</summary>
    public const string Variable = "ESPALIER_LIBVIPS";

    private const string Version = "8.18.7";

    /// <summary>Loads the library: the one that the environment variable names, or else the one beside the application.</summary>
    /// <exception cref="ImageException">No file was found, or the system cannot load it.</exception>
    public static nint Load() => Load(Environment.GetEnvironmentVariable(Variable), AppContext.BaseDirectory);

    /// <summary>As <see cref="Load()"/>, with the value of the environment variable and the application's folder given.</summary>
    public static nint Load(string? named, string folder)
    {
        if (!string.IsNullOrEmpty(named))
        {
            return File.Exists(named)
                ? LoadFile(named)
                : throw Unavailable($"the environment variable {Variable} names '{named}', which does not exist; correct or remove it");
        }

        string[] candidates = [.. Candidates(folder)];
        foreach (string candidate in candidates)
        {
            if (File.Exists(candidate))
            {
                return LoadFile(candidate);
            }
        }

        throw Unavailable(
            $"images are decoded by libvips, which was not found at {string.Join(" or ", candidates)}. Builds of applications that reference Espalier.Imaging put it there by 'npm pack'; rebuild with npm installed, or set {Variable} to the path of a libvips of version 8.13 or later");
    }

    private static IEnumerable<string> Candidates(string folder)
    {
        string file = OperatingSystem.IsWindows() ? "libvips-42.dll"
            : OperatingSystem.IsMacOS() ? $"libvips-cpp.{Version}.dylib"
            : $"libvips-cpp.so.{Version}";
        yield return Path.Combine(folder, file);

        string architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : UsesMusl() ? "linux-musl" : "linux";
        yield return Path.Combine(folder, "runtimes", $"{system}-{architecture}", "native", file);
    }

    private static bool UsesMusl()
        => RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
        || RuntimeInformation.RuntimeIdentifier.StartsWith("alpine", StringComparison.Ordinal);

    private static nint LoadFile(string path)
    {
        try
        {
            return NativeLibrary.Load(Path.GetFullPath(path));
        }
        catch (Exception problem) when (problem is DllNotFoundException or BadImageFormatException)
        {
            throw Unavailable($"'{path}' cannot be loaded as libvips: {problem.Message}", problem);
        }
    }

    /// <summary>Makes the error for a library that cannot be used.</summary>
    public static ImageException Unavailable(string message, Exception? inner = null) => new(ImageFault.LibraryUnavailable, message, inner);
}
