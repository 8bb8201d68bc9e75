namespace Espalier;

/// <summary>A weight that was to be quantised is infinite or not a number.</summary>
public sealed class NonFiniteWeightException : CheckpointException
{
    internal NonFiniteWeightException(string file, string tensor)
        : base(file, tensor + " holds a value that is infinite or not a number, which no integer stands for. Repair the checkpoint; Precision.Float32 runs it as it is.") => Tensor = tensor;

    /// <summary>Canonical name of the tensor.</summary>
    public string Tensor { get; }
}

/// <summary>Quantised weights can be written neither beside the checkpoint nor into the cache folder.</summary>
public sealed class WeightCacheException : CheckpointException
{
    internal WeightCacheException(string file, string findings, Exception? inner)
        : base(file, "the quantised weights cannot be stored: " + findings + " Make room or one of the folders writable, or name another folder by ModelOptions.CacheFolder.", inner)
    {
    }
}

/// <summary>A weight is too large for the 16 bits that a precision gives it.</summary>
public sealed class WeightRangeException : CheckpointException
{
    internal WeightRangeException(string file, string tensor, float value)
        : base(file, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{tensor} holds {value:R}, which is infinite in 16 bits. Load in Precision.BFloat16, whose range is that of single precision, or in Precision.Float32.")) => Tensor = tensor;

    /// <summary>Canonical name of the tensor.</summary>
    public string Tensor { get; }
}
