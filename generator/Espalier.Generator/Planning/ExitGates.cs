namespace Espalier.Planning;

/// <summary>Gates behind a run of decoder layers: the first that says so lets all visual tokens leave. What they say depends on the prompt, so the plan counts as if none did.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="FirstLayer">The first layer with a gate behind it, zero-based.</param>
/// <param name="LastLayer">The last.</param>
/// <param name="Declaration">The policy as it was declared.</param>
public sealed record ExitGates(int FirstLayer, int LastLayer, string Declaration)
{
    /// <summary>True if there is a gate behind a layer.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    public bool IsBehind(int layer) => layer >= FirstLayer && layer <= LastLayer;
}
