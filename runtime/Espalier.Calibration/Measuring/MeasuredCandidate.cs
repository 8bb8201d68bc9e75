namespace Espalier.Calibration;

/// <summary>Something that is measured beside the dense model.</summary>
/// <param name="Name">What it is called in the log: the policy's attributes, or what no attribute says.</param>
/// <param name="Policy">The policy's attributes; empty for the dense model's.</param>
/// <param name="HeldTextLayer">The layer that text rows pass unchanged; -1 for none.</param>
internal sealed record MeasuredCandidate(string Name, string Policy, int HeldTextLayer = -1)
{
    /// <summary>A policy.</summary>
    public static MeasuredCandidate Of(string policy) => new(policy, policy);

    /// <summary>The dense model, whose text rows pass a layer unchanged.</summary>
    public static MeasuredCandidate HoldingText(int layer) => new("text held in layer " + layer.ToString(System.Globalization.CultureInfo.InvariantCulture), "", layer);
}
