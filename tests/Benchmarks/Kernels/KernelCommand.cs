using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;

namespace Espalier.Benchmarks.Kernels;

/// <summary><c>kernels</c>: what runs on the host beside the layers, by BenchmarkDotNet.</summary>
internal static class KernelCommand
{
    public static Command Create()
    {
        var filter = new Option<string>("--filter") { Description = "Which benchmarks run, as BenchmarkDotNet's own option.", DefaultValueFactory = static _ => "*" };
        var quick = new Option<bool>("--quick") { Description = "One iteration in this process: shows that they run, measures nothing." };
        var output = new Option<string>("--output") { Description = "The folder that gets BenchmarkDotNet's reports.", DefaultValueFactory = static _ => "BenchmarkDotNet.Artifacts" };
        var command = new Command("kernels", "Selection, merging, statistics and resampling on the host, by BenchmarkDotNet.") { filter, quick, output };
        command.SetAction(parsed =>
        {
            // In this process: BenchmarkDotNet would build the whole program again for each benchmark, generator included.
            Job job = parsed.GetValue(quick)
                ? Job.Dry.WithToolchain(InProcessNoEmitToolchain.Instance)
                : Job.Default.WithToolchain(InProcessNoEmitToolchain.Instance);
            IConfig config = DefaultConfig.Instance.AddJob(job).WithArtifactsPath(Path.GetFullPath(parsed.GetRequiredValue(output)));
            Summary[] summaries = [.. BenchmarkSwitcher.FromTypes([typeof(ReductionKernels), typeof(ResamplingKernel)]).Run(["--filter", parsed.GetRequiredValue(filter)], config)];
            return summaries.Length > 0 && summaries.All(static summary => summary.Reports.Length > 0 && summary.Reports.All(static report => report.Success)) ? 0 : 1;
        });
        return command;
    }
}
