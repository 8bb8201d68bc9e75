using System.CommandLine;
using System.Globalization;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;

namespace Espalier.Benchmarks.Measuring;

/// <summary>One run of a benchmark: the model, and how to measure.</summary>
internal sealed class BenchmarkRun(Checkpoint checkpoint, ModelOptions options, Report report, int warmUp, int rounds, ProgressLine progress, CancellationToken cancellationToken)
{
    /// <summary>The model.</summary>
    public Checkpoint Checkpoint => checkpoint;

    /// <summary>How its classes are loaded.</summary>
    public ModelOptions Options => options;

    /// <summary>The formats of its linear layers.</summary>
    public PrecisionFormats Formats { get; } = PrecisionFormats.For(options.Precision ?? Precision.Float32, options.Device.Provider);

    /// <summary>Where results go.</summary>
    public Report Report => report;

    /// <summary>Asks for the end of the run.</summary>
    public CancellationToken Cancellation => cancellationToken;

    /// <summary>The line of progress.</summary>
    public ProgressLine Progress => progress;

    /// <summary>Times contenders in turn.</summary>
    public Measurement[] Measure(params IReadOnlyList<Contender> contenders)
    {
        Measurement[] measurements = Interleaved.Measure(contenders, warmUp, rounds, progress, cancellationToken);
        report.Keep(measurements);
        return measurements;
    }
}

/// <summary>Makes the commands that measure, which all take the same arguments.</summary>
internal static class BenchmarkCommand
{
    /// <summary>Makes a command.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it measures.</param>
    /// <param name="defaultRounds">Rounds that are counted unless the user says otherwise; 0 if it does not go by rounds.</param>
    /// <param name="measure">The benchmark.</param>
    public static Command Create(string name, string description, int defaultRounds, Action<BenchmarkRun> measure)
    {
        var model = new Argument<string>("model") { Description = "A folder that 'synthesize' wrote from a preset." };
        Option<int> rounds = Count("--rounds", "Rounds that are counted.", defaultRounds, least: 1);
        Option<int> warmUp = Count("--warm-up", "Rounds before them.", 2, least: 0);
        Option<int> threads = Count("--threads", "Threads of ONNX Runtime.", Environment.ProcessorCount, least: 1);
        var precision = new Option<Precision>("--precision") { Description = "Number format of the linear layers.", DefaultValueFactory = static _ => Precision.Float32 };
        var output = new Option<string?>("--output") { Description = "Also write the results to this Markdown file, and every number to the .json file beside it." };
        var command = new Command(name, description) { model, precision, threads, output };
        if (defaultRounds > 0)
        {
            command.Options.Add(rounds);
            command.Options.Add(warmUp);
        }

        command.SetAction((parsed, cancellationToken) => Task.Run(
            () =>
            {
                OnnxRuntimeLibrary.ConfigureThreads(parsed.GetValue(threads));
                using var checkpoint = Checkpoint.Open(parsed.GetRequiredValue(model));
                using var progress = new ProgressLine();
                var options = new ModelOptions { Device = Device.Cpu, Precision = parsed.GetValue(precision), CancellationToken = cancellationToken };
                var report = new Report();
                report.Head($"{name}: {Path.GetFileName(Path.TrimEndingDirectorySeparator(checkpoint.Folder))}, {options.Precision}");
                report.Say(description);
                report.Say(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, commit {Machine.Commit}. {Machine.Describe()}. Load average before: {Machine.Load}."));
                measure(new BenchmarkRun(checkpoint, options, report, parsed.GetValue(warmUp), parsed.GetValue(rounds), progress, cancellationToken));
                report.Say(defaultRounds > 0
                    ? $"{parsed.GetValue(rounds)} rounds after {parsed.GetValue(warmUp)} of warm-up, contenders in turn. Load average after: {Machine.Load}."
                    : $"Load average after: {Machine.Load}.");
                if (parsed.GetValue(output) is { } file)
                {
                    report.Save(file);
                }

                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static Option<int> Count(string name, string description, int absent, int least)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => absent };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < least)
            {
                result.AddError($"{name} is at least {least}.");
            }
        });
        return option;
    }
}
