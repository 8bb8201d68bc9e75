using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Finds operators that a device leaves to the CPU: each would copy rows to the host and back.</summary>
internal static class DeviceOperators
{
    // Shapes are computed by the host on every device: numbers that it reads anyway, to know what to start.
    private static readonly HashSet<string> OnHost = new(StringComparer.Ordinal) { "Add", "Concat", "Neg", "Shape", "Sub" };

    /// <summary>The operators of a session that would leave the device, in alphabetical order.</summary>
    public static IReadOnlyList<string> Missing(OrtSession session, ExecutionProvider provider) =>
        [.. session.OperatorsOutside(provider.Name).Where(static operation => !OnHost.Contains(operation))];
}
