namespace Espalier.Tests;

/// <summary>A test of something that Windows does not have.</summary>
internal sealed class PosixFactAttribute() : ConditionalFactAttribute(OperatingSystem.IsWindows() ? "Windows has no pipes among its files." : null);

/// <summary>A test of something that only Linux has.</summary>
internal sealed class LinuxFactAttribute() : ConditionalFactAttribute(OperatingSystem.IsLinux() ? null : "Only Linux has /proc.");

/// <summary>A test that makes a small library for Linux.</summary>
internal sealed class CompilerFactAttribute() : ConditionalFactAttribute(OperatingSystem.IsLinux() && Compiler is not null ? null : "It takes Linux, and gcc or clang.")
{
    /// <summary>The compiler; null if there is none.</summary>
    public static string? Compiler { get; } = ((string[])["/usr/bin/gcc", "/usr/bin/clang"]).FirstOrDefault(File.Exists);
}

/// <summary>A test of the missing CUDA provider.</summary>
internal sealed class WithoutCudaFactAttribute() : ConditionalFactAttribute(HasCuda ? "The CUDA provider is there: nothing is missing." : null)
{
    private static bool HasCuda
    {
        get
        {
            string folder = Path.GetDirectoryName(Environment.GetEnvironmentVariable("ESPALIER_ONNXRUNTIME")) is { Length: > 0 } named ? named : AppContext.BaseDirectory;
            return Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*onnxruntime_providers_cuda*", SearchOption.AllDirectories).Any();
        }
    }
}
