namespace Espalier;

/// <summary>A method was declared whose learned weights are neither in the checkpoint nor in a file beside it.</summary>
public sealed class LearnedWeightsMissingException : CheckpointException
{
    internal LearnedWeightsMissingException(string file, string declaration, string tensor, string others)
        : base(file, "'" + declaration + "' needs the tensor " + tensor + ". The checkpoint does not hold it and this file does not exist" + others + ". Train it, or remove the declaration.")
    {
        Declaration = declaration;
        Tensor = tensor;
    }

    /// <summary>The policy as it was declared.</summary>
    public string Declaration { get; }

    /// <summary>The tensor, with its shape.</summary>
    public string Tensor { get; }
}

/// <summary>Learned weights were trained for another declaration.</summary>
public sealed class LearnedWeightsMismatchException : CheckpointException
{
    internal LearnedWeightsMismatchException(string file, string declaration, string key, string found, string expected)
        : base(file, "its weights were trained with " + key + " = " + found + ", but '" + declaration + "' has " + expected + ". Declare " + found + ", or use weights that were trained so.")
        => Declaration = declaration;

    /// <summary>The policy as it was declared.</summary>
    public string Declaration { get; }
}

/// <summary>A file of learned weights holds a tensor that its method has no use for.</summary>
public sealed class UnexpectedTensorException : CheckpointException
{
    internal UnexpectedTensorException(string file, string tensor, string allowed)
        : base(file, tensor + " is not " + allowed + ". Remove it from the file.") => Tensor = tensor;

    /// <summary>Canonical name of the tensor.</summary>
    public string Tensor { get; }
}
