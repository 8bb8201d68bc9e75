namespace Espalier;

/// <summary>A device cannot run linear layers of a precision.</summary>
public sealed class PrecisionNotSupportedException : EspalierException
{
    internal PrecisionNotSupportedException(Precision precision, string device, string finding, Exception? inner = null)
        : base("Precision." + precision + " does not run on " + device + ": " + finding, inner)
    {
        Precision = precision;
        Device = device;
    }

    /// <summary>What was asked for.</summary>
    public Precision Precision { get; }

    /// <summary>Where it was asked for: ONNX Runtime's name of the device's provider.</summary>
    public string Device { get; }
}
