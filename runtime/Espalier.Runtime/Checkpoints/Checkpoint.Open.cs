using Espalier.Planning;
using Microsoft.Win32.SafeHandles;

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

    /// <summary>Maps files one after the other and collects their tensors under canonical names.</summary>
    private sealed class ShardReader(CheckpointMapping mapping)
    {
        private readonly Dictionary<string, string> _storedNames = new(StringComparer.Ordinal);
        private readonly HashSet<string> _allStored = new(StringComparer.Ordinal);

        public Dictionary<string, CheckpointTensor> Tensors { get; } = new(StringComparer.Ordinal);

        /// <summary>Maps a file and returns the names that are stored in it.</summary>
        public HashSet<string> Add(string path)
        {
            SafeFileHandle handle = CheckpointFiles.Open(path, out long length);
            List<StoredTensor> stored = ReadHeader(handle, length, path);
            nint start = mapping.Map(handle, length, path);
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (StoredTensor tensor in stored)
            {
                names.Add(tensor.Name);
                if (!_allStored.Add(tensor.Name))
                {
                    throw new DuplicateTensorException(path, ConfigValue.Shorten(tensor.Name, 200) + " is also in another shard.");
                }

                if (CanonicalNames.For(tensor.Name) is { } canonical)
                {
                    if (!_storedNames.TryAdd(canonical, tensor.Name))
                    {
                        throw new AmbiguousTensorException(path, ConfigValue.Shorten(canonical, 200), ConfigValue.Shorten(_storedNames[canonical], 200), ConfigValue.Shorten(tensor.Name, 200));
                    }

                    Tensors.Add(canonical, new CheckpointTensor(mapping, path, canonical, tensor.Type, tensor.Shape, start + (nint)tensor.Begin, tensor.End - tensor.Begin));
                }
            }

            return names;
        }

        private static List<StoredTensor> ReadHeader(SafeFileHandle handle, long length, string path)
        {
            try
            {
                return SafetensorsHeader.Read(handle, length, path).Tensors;
            }
            catch (Exception exception)
            {
                handle.Dispose();
                if (exception is not (IOException or UnauthorizedAccessException))
                {
                    throw;
                }

                throw new CheckpointFileUnreadableException(path, "the file cannot be read: " + exception.Message, exception);
            }
        }
    }
}
