namespace Espalier.Benchmarks;

/// <summary>A benchmark cannot be run as it was asked for. The message says what to change.</summary>
internal sealed class BenchmarkException(string message) : EspalierException(message);
