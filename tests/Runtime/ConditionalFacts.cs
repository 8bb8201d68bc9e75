namespace Espalier.Tests;

/// <summary>A test of something that Windows does not have; there it is shown as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PosixFactAttribute : FactAttribute
{
    public PosixFactAttribute()
    {
        if (OperatingSystem.IsWindows())
        {
            Skip = "Windows has no pipes among its files.";
        }
    }
}

/// <summary>A test of something that only Linux has; elsewhere it is shown as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
        {
            Skip = "Only Linux has /proc.";
        }
    }
}

/// <summary>A test that makes a small library for Linux; where there is no C compiler, it is shown as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CompilerFactAttribute : FactAttribute
{
    public CompilerFactAttribute()
    {
        if (!OperatingSystem.IsLinux() || Compiler is null)
        {
            Skip = "It takes Linux, and gcc or clang.";
        }
    }

    /// <summary>The compiler; null if there is none.</summary>
    public static string? Compiler { get; } = ((string[])["/usr/bin/gcc", "/usr/bin/clang"]).FirstOrDefault(File.Exists);
}

/// <summary>A test of the missing CUDA provider; where the provider is there, it is shown as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class WithoutCudaFactAttribute : FactAttribute
{
    public WithoutCudaFactAttribute()
    {
        string folder = Path.GetDirectoryName(Environment.GetEnvironmentVariable("ESPALIER_ONNXRUNTIME")) is { Length: > 0 } named ? named : AppContext.BaseDirectory;
        if (Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*onnxruntime_providers_cuda*", SearchOption.AllDirectories).Any())
        {
            Skip = "The CUDA provider is there: nothing is missing.";
        }
    }
}
