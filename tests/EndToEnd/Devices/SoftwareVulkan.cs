using System.Runtime.InteropServices;

namespace Espalier.Tests;

/// <summary>A Vulkan driver for machines without a GPU: SwiftShader, which Debian's chromium brings along with a loader. Where <c>VK_DRIVER_FILES</c> is set, that driver is taken instead.</summary>
internal static partial class SoftwareVulkan
{
    private const string Folder = "/usr/lib/chromium";
    private const string Drivers = "VK_DRIVER_FILES";

    /// <summary>Why WebGPU cannot run here; null if it can. The first use prepares the process.</summary>
    public static string? Missing { get; } = Prepare();

    private static string? Prepare()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "WebGPU is tested over SwiftShader, on Linux.";
        }

        if (Environment.GetEnvironmentVariable(Drivers) is null)
        {
            string driver = Path.Combine(Folder, "vk_swiftshader_icd.json");
            if (!File.Exists(driver))
            {
                return $"There is no {driver}: install Debian's chromium, which brings SwiftShader, or name a Vulkan driver in {Drivers}.";
            }

            // The loader asks the C library, which does not see what .NET sets.
            if (SetEnvironment(Drivers, driver, 1) != 0)
            {
                return $"{Drivers} cannot be set.";
            }
        }

        // Loaded by its path, it is found by its name afterwards.
        return NativeLibrary.TryLoad("libvulkan.so.1", out _) || NativeLibrary.TryLoad(Path.Combine(Folder, "libvulkan.so.1"), out _)
            ? null
            : "There is no libvulkan.so.1: install Debian's libvulkan1.";
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}

/// <summary>A test on a WebGPU device; where there is none, it is shown as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class WebGpuFactAttribute : FactAttribute
{
    public WebGpuFactAttribute() => Skip = SoftwareVulkan.Missing;
}

/// <summary>Tests on a WebGPU device; where there is none, they are shown as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class WebGpuTheoryAttribute : TheoryAttribute
{
    public WebGpuTheoryAttribute() => Skip = SoftwareVulkan.Missing;
}
