namespace Espalier;

/// <summary>Tensors that the model needs are not in the checkpoint.</summary>
public sealed class MissingTensorException : CheckpointException
{
    /// <summary>Names given in the message; the rest is counted.</summary>
    private const int Listed = 4;

    internal MissingTensorException(string file, IReadOnlyList<string> names)
        : base(file, Describe(names)) => Names = names;

    /// <summary>The canonical names of all missing tensors.</summary>
    public IReadOnlyList<string> Names { get; }

    private static string Describe(IReadOnlyList<string> names)
    {
        string list = string.Join(", ", names.Take(Listed));
        return names.Count > Listed
            ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"the checkpoint lacks {names.Count} tensors that config.json asks for: {list}, ...")
            : "the checkpoint lacks " + list + ".";
    }
}

/// <summary>A tensor has another shape than the model needs.</summary>
public sealed class TensorShapeException : CheckpointException
{
    internal TensorShapeException(string file, string tensor, ReadOnlySpan<long> expected, ReadOnlySpan<long> found)
        : base(file, tensor + " must have the shape " + Shapes.Format(expected) + ", but has " + Shapes.Format(found) + ".")
    {
        Tensor = tensor;
        Expected = expected.ToArray();
        Found = found.ToArray();
    }

    /// <summary>Canonical name of the tensor.</summary>
    public string Tensor { get; }

    /// <summary>The shape that the model needs.</summary>
    public IReadOnlyList<long> Expected { get; }

    /// <summary>The shape in the file.</summary>
    public IReadOnlyList<long> Found { get; }
}

/// <summary>A tensor is stored in a type that weights are not read from.</summary>
public sealed class TensorTypeException : CheckpointException
{
    internal TensorTypeException(string file, string tensor, TensorType type)
        : base(file, tensor + " is stored as " + type.Name() + "; weights are read from F32, F16 and BF16. Use the checkpoint that is not quantised, or convert it.")
    {
        Tensor = tensor;
        Type = type;
    }

    /// <summary>Canonical name of the tensor.</summary>
    public string Tensor { get; }

    /// <summary>The type in the file.</summary>
    public TensorType Type { get; }
}

/// <summary>The values of a tensor are not what its method can use.</summary>
public sealed class TensorValueException : CheckpointException
{
    internal TensorValueException(string file, string tensor, string what)
        : base(file, tensor + " " + what) => Tensor = tensor;

    /// <summary>Canonical name of the tensor.</summary>
    public string Tensor { get; }
}

/// <summary>Two tensors of the checkpoint have names that mean the same weight, for example in the old and in the new spelling.</summary>
public sealed class AmbiguousTensorException : CheckpointException
{
    internal AmbiguousTensorException(string file, string tensor, string first, string second)
        : base(file, first + " and " + second + " both mean " + tensor + ". Keep one of them.") => Tensor = tensor;

    /// <summary>The canonical name that both have.</summary>
    public string Tensor { get; }
}
