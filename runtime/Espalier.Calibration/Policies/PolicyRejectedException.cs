namespace Espalier.Calibration;

/// <summary>A policy that the compiler rejects was to be run.</summary>
public sealed class PolicyRejectedException : EspalierException
{
    internal PolicyRejectedException(string policy, IReadOnlyList<PolicyDiagnostic> diagnostics)
        : base($"The policy '{policy}' cannot be compiled: {string.Join(" ", diagnostics.Where(static diagnostic => diagnostic.IsError))}")
    {
        Policy = policy;
        Diagnostics = diagnostics;
    }

    /// <summary>The policy as it was written.</summary>
    public string Policy { get; }

    /// <summary>What the compiler said.</summary>
    public IReadOnlyList<PolicyDiagnostic> Diagnostics { get; }
}
