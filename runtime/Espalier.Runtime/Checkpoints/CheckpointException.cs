namespace Espalier;

/// <summary>The base of everything that can be wrong with a checkpoint folder. Each rule has a sealed class of its own, so callers can tell them apart without reading messages.</summary>
public abstract class CheckpointException : EspalierException
{
    private protected CheckpointException(string file, string finding, Exception? inner = null)
        : base(file + ": " + finding, inner) => File = file;

    /// <summary>The file, or the folder where no single file is to blame.</summary>
    public string File { get; }
}

/// <summary>A file or folder that a checkpoint needs is not there.</summary>
public sealed class CheckpointFileMissingException : CheckpointException
{
    internal CheckpointFileMissingException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>A file of the checkpoint cannot be opened, read or mapped, or is larger than such a file can be.</summary>
public sealed class CheckpointFileUnreadableException : CheckpointException
{
    internal CheckpointFileUnreadableException(string file, string finding, Exception? inner = null)
        : base(file, finding, inner)
    {
    }
}

/// <summary>The checkpoint is another model than the one that a class was compiled for.</summary>
public sealed class GeometryMismatchException : CheckpointException
{
    internal GeometryMismatchException(string file, IReadOnlyList<string> fields)
        : base(file, "the checkpoint is not the model that the class was compiled for: " + string.Join("; ", fields) + ". Compile against this config.json, or open the checkpoint that was compiled against.")
        => Fields = fields;

    /// <summary>One entry for each field that differs, for example <c>text_config.num_hidden_layers: compiled 12, checkpoint 24</c>.</summary>
    public IReadOnlyList<string> Fields { get; }
}
