using System.CommandLine;
using Espalier.Benchmarks.Comparisons;
using Espalier.Benchmarks.Kernels;
using Espalier.Benchmarks.Peers;
using Espalier.Benchmarks.Plots;
using Espalier.Benchmarks.Synthesis;

namespace Espalier.Benchmarks;

/// <summary>The program's commands.</summary>
internal static class BenchmarkCommands
{
    /// <summary>All commands.</summary>
    public static RootCommand Create() =>
        new("Measures what Espalier costs and saves, on models with random weights that it writes itself.")
        {
            SynthesizeCommand.Create(),
            MonolithComparison.CreateCommand(),
            FrozenComparison.CreateCommand(),
            ReductionComparison.CreateCommand(),
            MemoryComparison.CreateCommand(),
            PartComparison.CreateCommand(),
            FirstTokenComparison.CreateCommand(),
            BatchComparison.CreateCommand(),
            RoofComparison.CreateCommand(),
            KernelCommand.Create(),
            PlotCommand.Create(),
            PageCommand.Create(),
            GeneratorTiming.CreateCommand(),
            PrecisionComparison.CreateCommand(),
            PeerComparison.CreateCommand(),
            PeerCommand.CreateCommand(),
        };
}
