namespace Espalier;

/// <summary>A safetensors file ends before the header that its first eight bytes announce.</summary>
public sealed class TruncatedSafetensorsException : CheckpointException
{
    internal TruncatedSafetensorsException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>The header of a safetensors file claims to be longer than the 100 MB that the format allows.</summary>
public sealed class HeaderTooLongException : CheckpointException
{
    internal HeaderTooLongException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>The header of a safetensors file is not the JSON object that the format asks for.</summary>
public sealed class MalformedHeaderException : CheckpointException
{
    internal MalformedHeaderException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>The <c>__metadata__</c> of a safetensors header is not an object of strings.</summary>
public sealed class HeaderMetadataException : CheckpointException
{
    internal HeaderMetadataException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>One tensor name stands twice in a header, or in two shards.</summary>
public sealed class DuplicateTensorException : CheckpointException
{
    internal DuplicateTensorException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>A safetensors header names a data type that the format does not know.</summary>
public sealed class UnknownTensorTypeException : CheckpointException
{
    internal UnknownTensorTypeException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>A shape has too many dimensions, a negative one, or more elements than fit 64 bits.</summary>
public sealed class InvalidTensorShapeException : CheckpointException
{
    internal InvalidTensorShapeException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>The offsets of a tensor run backwards or point outside of the data of its file.</summary>
public sealed class TensorOffsetsException : CheckpointException
{
    internal TensorOffsetsException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>The bytes of a tensor are more or fewer than its shape and type need.</summary>
public sealed class TensorSizeException : CheckpointException
{
    internal TensorSizeException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>Two tensors share bytes of a file.</summary>
public sealed class OverlappingTensorsException : CheckpointException
{
    internal OverlappingTensorsException(string file, string finding)
        : base(file, finding)
    {
    }
}

/// <summary>A safetensors file holds bytes that belong to no tensor.</summary>
public sealed class UncoveredDataException : CheckpointException
{
    internal UncoveredDataException(string file, string finding)
        : base(file, finding)
    {
    }
}
