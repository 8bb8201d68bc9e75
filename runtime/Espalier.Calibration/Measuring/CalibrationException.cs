namespace Espalier.Calibration;

/// <summary>Something that a calibration was given is wrong: one sentence that names the file or value, what is wrong, and the fix.</summary>
public sealed class CalibrationException : EspalierException
{
    internal CalibrationException(string message)
        : base(message)
    {
    }
}
