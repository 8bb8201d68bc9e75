using Espalier.Planning;

namespace Espalier;

public sealed partial class Checkpoint
{
    private const string ConfigFile = "config.json";
    private const string GenerationFile = "generation_config.json";
    private const string WeightsFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    /// <summary>Opens a folder, checks every header, and checks that every tensor that the model needs is there in its right shape.</summary>
    /// <param name="folder">The folder that holds <c>config.json</c>.</param>
    /// <exception cref="CheckpointException">Something is wrong with the folder; each rule has a class of its own.</exception>
    /// <exception cref="PlatformNotSupportedException">The machine is big-endian; the files are little-endian.</exception>
    public static Checkpoint Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("Weights are mapped as they are, and safetensors files are little-endian.");
        }

        if (!Directory.Exists(folder))
        {
            throw new CheckpointFileMissingException(folder, "the folder does not exist.");
        }

        ModelGeometry geometry = ReadGeometry(folder, out string configPath, out string config);
        string generationPath = Path.Combine(folder, GenerationFile);
        string? generation = File.Exists(generationPath) ? CheckpointFiles.ReadConfig(generationPath) : null;
        GenerationDefaults defaults = GenerationDefaultsReader.Read(configPath, config, generationPath, generation, geometry.Text.Family);

        var mapping = new CheckpointMapping();
        try
        {
            Dictionary<string, CheckpointTensor> tensors = MapShards(folder, mapping);
            var checkpoint = new Checkpoint(folder, geometry, defaults, mapping, tensors);
            checkpoint.CheckTensors();
            return checkpoint;
        }
        catch
        {
            mapping.Release();
            throw;
        }
    }

    /// <summary>Reads the shapes of a model from its <c>config.json</c> alone: no weight needs to be there.</summary>
    /// <param name="folder">The folder that holds <c>config.json</c>.</param>
    /// <exception cref="CheckpointException">The file is missing or malformed, or the model cannot be run.</exception>
    public static ModelGeometry ReadGeometry(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Directory.Exists(folder) ? ReadGeometry(folder, out _, out _) : throw new CheckpointFileMissingException(folder, "the folder does not exist.");
    }

    private static ModelGeometry ReadGeometry(string folder, out string configPath, out string config)
    {
        configPath = Path.Combine(folder, ConfigFile);
        config = CheckpointFiles.ReadConfig(configPath);
        GeometryReading reading = ModelGeometryReader.Read(config);
        return reading.Geometry ?? throw ConfigException.For(configPath, reading.Problem!);
    }

    /// <summary>A single file goes before an index, as in transformers.</summary>
    private static Dictionary<string, CheckpointTensor> MapShards(string folder, CheckpointMapping mapping)
    {
        var shards = new ShardReader(mapping);
        string single = Path.Combine(folder, WeightsFile);
        string index = Path.Combine(folder, IndexFile);
        if (File.Exists(single))
        {
            shards.Add(single);
        }
        else if (File.Exists(index))
        {
            foreach ((string shard, List<string> names) in ShardIndex.Read(index))
            {
                HashSet<string> stored = shards.Add(Path.Combine(folder, shard));
                if (names.Find(name => !stored.Contains(name)) is { } missing)
                {
                    throw new ShardContentException(index, "weight_map places " + ConfigValue.Shorten(missing, 200) + " in " + shard + ", which does not hold it.");
                }
            }
        }
        else
        {
            throw new CheckpointFileMissingException(folder, "the folder holds neither " + WeightsFile + " nor " + IndexFile + ". Weights in other formats must be saved as safetensors first.");
        }

        return shards.Tensors;
    }

    private void CheckTensors()
    {
        List<string>? missing = null;
        foreach ((string name, long[] shape) in RequiredTensors.Of(Geometry))
        {
            if (_tensors.ContainsKey(name))
            {
                _ = GetTensor(name, shape);
            }
            else
            {
                (missing ??= []).Add(name);
            }
        }

        if (missing is not null)
        {
            throw new MissingTensorException(Folder, missing);
        }

        _ = GetTensor(HeadTensorName, [Geometry.Text.Vocabulary, Geometry.Text.Hidden]);
    }
}
