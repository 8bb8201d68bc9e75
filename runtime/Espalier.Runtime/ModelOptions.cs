namespace Espalier;

/// <summary>How a model is loaded.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed record ModelOptions
{
    /// <summary>Where the sessions run. The default is <see cref="Device.Auto"/>.</summary>
    public Device Device { get; init; } = Device.Auto;

    /// <summary>The number format of the linear layers. Null (the default) is what the class declares.</summary>
    public Precision? Precision { get; init; }

    /// <summary>Where quantised weights are kept, in a folder for each checkpoint. Null (the default): in the folder <c>.espalier</c> beside the checkpoint or, where that cannot be written to, in the user's cache folder.</summary>
    /// <remarks>They are made at the first load of a precision, in about seven seconds of CPU time for a billion weights, and mapped from then on. Deleting them is safe at any time.</remarks>
    public string? CacheFolder { get; init; }

    /// <summary>A folder, which exists, that gets a trace of each session that is built for this model: every node that ran, with its shapes and times, to look at in chrome://tracing or Perfetto. Null (the default) writes none.</summary>
    /// <remarks>A trace is written when the last model and sequence over the checkpoint, and the checkpoint itself, are disposed. Sessions that an earlier model of the checkpoint has built are not traced. Tracing slows every run down, and traced models must not run at the same time as others of the process: ONNX Runtime keeps one record of the threads that all sessions share.</remarks>
    public string? TraceFolder { get; init; }

    /// <summary>Told after each weight that is quantised and each session that is built while loading, on the loading thread. Null (the default) tells nobody.</summary>
    public IProgress<LoadProgress>? Progress { get; init; }

    /// <summary>Ends loading between two steps of it; whole files of quantised weights stay for the next time. The default never does.</summary>
    public CancellationToken CancellationToken { get; init; }
}

/// <summary>What loading a model consists of.</summary>
public enum LoadStage
{
    /// <summary>Quantising weights; left out where they are there already.</summary>
    QuantiseWeights,

    /// <summary>Building sessions.</summary>
    BuildSessions,
}

/// <summary>How far loading a model has come.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">Weights or sessions that are ready.</param>
/// <param name="Total">Weights or sessions that the stage consists of.</param>
public readonly record struct LoadProgress(LoadStage Stage, int Done, int Total);
