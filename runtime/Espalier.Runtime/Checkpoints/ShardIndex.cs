using System.Text;
using Espalier.Planning;

namespace Espalier;

/// <summary>Reads <c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
internal static class ShardIndex
{
    /// <summary>Room for hundreds of thousands of tensors.</summary>
    private const long MaxBytes = 64 << 20;

    /// <summary>The shards in the order of their first mention, each with the tensors that the index places there.</summary>
    public static List<KeyValuePair<string, List<string>>> Read(string path)
    {
        byte[] bytes = CheckpointFiles.ReadBytes(path, MaxBytes);
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new MalformedShardIndexException(path, "the file is not UTF-8 text.");
        }

        ConfigValue? root = ConfigParser.Parse(text, out GeometryProblem? problem);
        if (root is null)
        {
            throw new MalformedShardIndexException(path, problem!.Message);
        }

        if (root.Field("weight_map") is not { Kind: ConfigKind.Object } map)
        {
            throw new MalformedShardIndexException(path, "weight_map must be an object that maps tensor names to file names.");
        }

        var shards = new List<KeyValuePair<string, List<string>>>();
        var known = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (KeyValuePair<string, ConfigValue> entry in map.Members)
        {
            if (entry.Value.Kind != ConfigKind.String)
            {
                throw new MalformedShardIndexException(path, "weight_map gives " + ConfigValue.Shorten(entry.Key) + " something else than a file name.");
            }

            string shard = entry.Value.Text;
            if (!known.TryGetValue(shard, out List<string>? tensors))
            {
                CheckName(path, shard);
                tensors = [];
                known.Add(shard, tensors);
                shards.Add(new KeyValuePair<string, List<string>>(shard, tensors));
            }

            tensors.Add(entry.Key);
        }

        return shards;
    }

    /// <summary>A downloaded index must not make us open files outside of the folder.</summary>
    private static void CheckName(string path, string shard)
    {
        const string Extension = ".safetensors";
        bool plain = shard.Length > Extension.Length
            && shard.Length <= 255
            && shard.EndsWith(Extension, StringComparison.Ordinal)
            && shard.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            && shard[0] != '.';
        if (!plain)
        {
            throw new ShardPathException(path, "weight_map names the shard " + ConfigValue.Shorten(shard) + "; it must be a plain name of letters, digits, '-', '_' and '.' that ends in .safetensors.");
        }
    }
}
