namespace Espalier.Tests;

/// <summary>Tests that trace run alone: ONNX Runtime keeps one record of its shared threads, and two traced sessions that run at the same time break it.</summary>
[CollectionDefinition(nameof(TracedRuns), DisableParallelization = true)]
public sealed class TracedRuns;
