using System.Reflection;
using System.Runtime.InteropServices;
using Espalier.OnnxRuntime;

namespace Espalier.Benchmarks.Measuring;

/// <summary>What a reader must know to judge a number: the machine, what else it does, and the build.</summary>
internal static class Machine
{
    /// <summary>The processor, as the operating system names it, with family and model: virtual machines call processors alike whose vector units differ by two.</summary>
    public static string Processor
    {
        get
        {
            string[] lines = ReadLines("/proc/cpuinfo");
            string name = Field("model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
            return Field("cpu family") is { } family && Field("model") is { } model ? $"{name} (family {family}, model {model})" : name;

            string? Field(string label) => lines.FirstOrDefault(line => line.Split(':', 2)[0].TrimEnd() == label)?.Split(':', 2)[1].Trim();
        }
    }

    /// <summary>Runnable threads over the last 1, 5 and 15 minutes, ours included; or that it is not known.</summary>
    public static string Load => ReadLines("/proc/loadavg").FirstOrDefault() is { } line ? string.Join(' ', line.Split(' ')[..3]) : "not known";

    /// <summary>The commit that was built, if the build knew it.</summary>
    public static string Commit
    {
        get
        {
            string version = typeof(Machine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
            int plus = version.IndexOf('+');
            return plus < 0 ? "not known" : version[(plus + 1)..Math.Min(version.Length, plus + 11)];
        }
    }

    /// <summary>One line: processors, memory, systems, threads.</summary>
    public static string Describe() =>
        $"{Processor}, {Environment.ProcessorCount} processors, {Sizes.Of(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)}; "
        + $"{RuntimeInformation.OSDescription}; .NET {Environment.Version}; ONNX Runtime {OnnxRuntimeLibrary.Version}, {OrtEnvironment.Shared.Threads} threads";

    private static string[] ReadLines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];
}
