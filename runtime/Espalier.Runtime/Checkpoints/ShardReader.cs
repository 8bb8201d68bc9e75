using Espalier.Planning;
using Microsoft.Win32.SafeHandles;

namespace Espalier;

/// <summary>Maps files one after the other and collects their tensors under canonical names.</summary>
internal sealed class ShardReader(CheckpointMapping mapping)
{
    private readonly Dictionary<string, string> _storedNames = new(StringComparer.Ordinal);
    private readonly HashSet<string> _allStored = new(StringComparer.Ordinal);

    /// <summary>The tensors of all files, by canonical name.</summary>
    public Dictionary<string, CheckpointTensor> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>What the header of the last file says besides.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private set; } = new Dictionary<string, string>();

    /// <summary>Maps a file and returns the names that are stored in it.</summary>
    public HashSet<string> Add(string path)
    {
        SafeFileHandle handle = CheckpointFiles.Open(path, out long length);
        SafetensorsContents contents = ReadHeader(handle, length, path);
        nint start = mapping.Map(handle, length, path);
        var names = new HashSet<string>(StringComparer.Ordinal);
        Metadata = contents.Metadata;
        foreach (StoredTensor tensor in contents.Tensors)
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

    private static SafetensorsContents ReadHeader(SafeFileHandle handle, long length, string path)
    {
        try
        {
            return SafetensorsHeader.Read(handle, length, path);
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
