namespace Espalier;

/// <summary><c>model.safetensors.index.json</c> is not JSON, names a tensor twice, or has no <c>weight_map</c> of strings.</summary>
public sealed class MalformedShardIndexException : CheckpointException
{
    internal MalformedShardIndexException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>The index names a shard by something else than a plain name of a safetensors file beside it.</summary>
public sealed class ShardPathException : CheckpointException
{
    internal ShardPathException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>The index places a tensor in a shard that does not hold it.</summary>
public sealed class ShardContentException : CheckpointException
{
    internal ShardContentException(string file, string finding)
        : base(file, finding)
    {
    }
}
