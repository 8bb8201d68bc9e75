namespace Espalier.Vision;

/// <summary>A <c>preprocessor_config.json</c> that cannot be used, or an image that exceeds what a preprocessor accepts. The message names the file, the field or limit, and what would be right.</summary>
public sealed class PreprocessorException : EspalierException
{
    internal PreprocessorException(string source, string? field, string problem, Exception? inner = null)
        : base(field is null ? $"{source}: {problem}" : $"{source}: '{field}' {problem}", inner)
    {
        Field = field;
    }

    /// <summary>The field of the configuration that is at fault, or null if it is the whole file or an image.</summary>
    public string? Field { get; }
}
