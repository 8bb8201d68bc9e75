namespace Espalier.Benchmarks;

/// <summary>Bytes for readers.</summary>
internal static class Sizes
{
    /// <summary>The number with a binary unit, for example <c>1.50 GiB</c>.</summary>
    public static string Of(long bytes) => Math.Abs(bytes) switch
    {
        >= 1L << 30 => $"{bytes / (double)(1L << 30):F2} GiB",
        >= 1L << 20 => $"{bytes / (double)(1L << 20):F1} MiB",
        >= 1L << 10 => $"{bytes / (double)(1L << 10):F1} KiB",
        _ => $"{bytes} B",
    };
}
