using System.CommandLine;
using System.Diagnostics;
using Espalier.Benchmarks.Measuring;

namespace Espalier.Benchmarks.Synthesis;

/// <summary><c>synthesize</c>: writes a folder with random weights.</summary>
internal static class SynthesizeCommand
{
    public static Command Create()
    {
        var config = new Argument<string>("config") { Description = $"A config.json, or a preset: {string.Join(", ", Presets.Names)}." };
        var folder = new Argument<string>("folder") { Description = "The folder to write; it must not exist." };
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same weights.", DefaultValueFactory = static _ => 1 };
        var type = new Option<string>("--type") { Description = "Type of the weights.", DefaultValueFactory = static _ => nameof(TensorType.F32) };
        type.AcceptOnlyFromAmong(nameof(TensorType.F32), nameof(TensorType.F16), nameof(TensorType.BF16));
        var shard = new Option<long>("--shard-bytes") { Description = "Weights beyond this go to a further file.", DefaultValueFactory = static _ => SyntheticCheckpoint.DefaultShardBytes };
        shard.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long>() < 1)
            {
                result.AddError("--shard-bytes is at least 1.");
            }
        });

        var command = new Command("synthesize", "Writes a model folder with random weights of any supported geometry.") { config, folder, seed, type, shard };
        command.SetAction((parsed, cancellationToken) => Task.Run(
            () =>
            {
                string target = parsed.GetRequiredValue(folder);
                long start = Stopwatch.GetTimestamp();
                using var line = new ProgressLine();
                SyntheticCheckpoint.Write(
                    Presets.Find(parsed.GetRequiredValue(config)),
                    target,
                    Enum.Parse<TensorType>(parsed.GetRequiredValue(type)),
                    parsed.GetValue(seed),
                    parsed.GetValue(shard),
                    new BytesOnLine(line),
                    cancellationToken);
                line.Clear();
                Console.WriteLine($"{target}: {Sizes.Of(new DirectoryInfo(target).EnumerateFiles().Sum(static file => file.Length))} in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private sealed class BytesOnLine(ProgressLine line) : IProgress<(long Written, long Total)>
    {
        public void Report((long Written, long Total) value) =>
            line.Show($"{Sizes.Of(value.Written)} of {Sizes.Of(value.Total)}", (double)value.Written / value.Total);
    }
}
