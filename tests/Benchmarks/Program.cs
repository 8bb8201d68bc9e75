using System.CommandLine;
using Espalier;
using Espalier.Benchmarks.Comparisons;
using Espalier.Benchmarks.Kernels;
using Espalier.Benchmarks.Peers;
using Espalier.Benchmarks.Plots;
using Espalier.Benchmarks.Synthesis;

var root = new RootCommand("Measures what Espalier costs and saves, on models with random weights that it writes itself.")
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

try
{
    // On Ctrl+C the token is cancelled, and what was begun has the timeout to be cleared away.
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
    });
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("cancelled");
    return 130;
}
catch (Exception exception) when (exception is EspalierException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
