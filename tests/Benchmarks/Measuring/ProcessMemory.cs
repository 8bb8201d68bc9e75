using System.Globalization;
using System.Runtime.InteropServices;

namespace Espalier.Benchmarks.Measuring;

/// <summary>The memory of this process, as Linux accounts for it.</summary>
/// <param name="Resident">Pages in memory, mapped files included.</param>
/// <param name="Anonymous">Pages that no file stands behind: what the process really costs. Pages of a mapped checkpoint can be dropped and read again.</param>
internal readonly partial record struct ProcessMemory(long Resident, long Anonymous)
{
    private const string Rollup = "/proc/self/smaps_rollup";

    /// <summary>Collects garbage, gives free heap pages back, and measures.</summary>
    /// <exception cref="BenchmarkException">The system is not Linux.</exception>
    public static ProcessMemory Measure()
    {
        if (!File.Exists(Rollup))
        {
            throw new BenchmarkException($"{Rollup} does not exist; memory is measured on Linux only.");
        }

        for (int i = 0; i < 2; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        // What was packed leaves holes in the C heap: free memory, which nobody else can use before this call.
        _ = TrimHeap(0);
        string[] lines = File.ReadAllLines(Rollup);
        return new ProcessMemory(Read("Rss:"), Read("Anonymous:"));

        long Read(string field)
        {
            string line = lines.First(line => line.StartsWith(field, StringComparison.Ordinal));
            return 1024 * long.Parse(line[field.Length..^"kB".Length], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimHeap(nuint pad);
}
