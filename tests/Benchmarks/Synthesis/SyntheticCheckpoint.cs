using Espalier.Planning;

namespace Espalier.Benchmarks.Synthesis;

/// <summary>Writes a Hugging Face folder with random weights: a model of any supported geometry that answers nonsense as slowly as a real one.</summary>
internal static class SyntheticCheckpoint
{
    /// <summary>The bound of transformers' own saving.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    private const double Deviation = 0.02;

    /// <summary>Writes the folder. It appears under its name when it is complete; after a failure or a cancellation nothing is left.</summary>
    /// <param name="configFile">A <c>config.json</c>.</param>
    /// <param name="folder">The folder to be made; it must not exist.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="seed">The same seed gives the same weights.</param>
    /// <param name="maxShardBytes">Tensors beyond this go to a further file.</param>
    /// <param name="progress">Told the bytes that are written and the bytes that there will be.</param>
    /// <param name="cancellationToken">Looked at between blocks.</param>
    /// <exception cref="BenchmarkException">The folder exists, or the disk is too small.</exception>
    /// <exception cref="EspalierException">The config declares no supported geometry.</exception>
    public static void Write(
        string configFile,
        string folder,
        TensorType type,
        ulong seed,
        long maxShardBytes,
        IProgress<(long Written, long Total)>? progress,
        CancellationToken cancellationToken)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (Path.Exists(target))
        {
            throw new BenchmarkException($"{target} exists already; name another folder, or remove it first.");
        }

        string config = CheckpointFiles.ReadConfig(configFile);
        GeometryReading reading = ModelGeometryReader.Read(config);
        ModelGeometry geometry = reading.Geometry ?? throw ConfigException.For(configFile, reading.Problem!);
        List<SyntheticTensor> tensors = SyntheticTensors.Of(geometry);
        long total = SafetensorsWriter.ByteLength(tensors, type);
        List<(string Name, string Text)> texts = [.. SyntheticTexts.Of(config, geometry, type)];

        // Beside the target, so that the last step is a rename within one file system.
        string partial = $"{target}.partial-{Environment.ProcessId}";
        Directory.CreateDirectory(partial);
        try
        {
            CheckSpace(partial, total);
            foreach ((string name, string text) in texts)
            {
                File.WriteAllText(Path.Combine(partial, name), text);
            }

            var bytes = progress is null ? null : new ByteProgress(progress, total);
            new SafetensorsWriter(partial, type, new NormalSource(seed, Deviation), maxShardBytes).Write(tensors, bytes, cancellationToken);
            Verify(partial);
            cancellationToken.ThrowIfCancellationRequested();
            Directory.Move(partial, target);
        }
        catch
        {
            Directory.Delete(partial, recursive: true);
            throw;
        }
    }

    private static void CheckSpace(string folder, long needed)
    {
        long free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < needed)
        {
            throw new BenchmarkException($"The weights take {Sizes.Of(needed)}, but the disk of {folder} has {Sizes.Of(free)} left.");
        }
    }

    /// <summary>What was written must be what the runtime reads.</summary>
    private static void Verify(string folder)
    {
        using var checkpoint = Checkpoint.Open(folder);
        _ = checkpoint.Preprocessor;
        _ = checkpoint.Prompt.Build(checkpoint.Tokenizer, "what is it ?", checkpoint.Geometry.ImageTokenId);
    }

    private sealed class ByteProgress(IProgress<(long Written, long Total)> progress, long total) : IProgress<long>
    {
        public void Report(long value) => progress.Report((value, total));
    }
}
