namespace Espalier.Calibration;

/// <summary>Between which two distributions the divergence is taken.</summary>
public enum DivergenceOrder
{
    /// <summary>KL(reduced ‖ dense), as the published code of ShortV and VTW computes it.</summary>
    ReducedFromDense,

    /// <summary>KL(dense ‖ reduced), as ShortV's paper writes it.</summary>
    DenseFromReduced,
}

/// <summary>How a calibration is run.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed record CalibrationOptions
{
    /// <summary>Which way the divergence is taken. The default is the published code's.</summary>
    public DivergenceOrder Order { get; init; } = DivergenceOrder.ReducedFromDense;

    /// <summary>Device and precision of the models. Null is the default of each.</summary>
    public ModelOptions? Model { get; init; }

    /// <summary>A file that every measured value is added to at once, so that a calibration that was ended at any moment goes on where it was. Null (the default) keeps nothing.</summary>
    public string? Log { get; init; }

    /// <summary>Told after each prefill, on the calling thread. Null (the default) tells nobody.</summary>
    public IProgress<CalibrationProgress>? Progress { get; init; }

    /// <summary>Ends the calibration before the next layer of a model; the log keeps what was measured.</summary>
    public CancellationToken CancellationToken { get; init; }
}

/// <summary>How far a calibration has come.</summary>
/// <param name="Done">Prefills that were run, or found in the log.</param>
/// <param name="Total">Prefills in all; for a search by bisection the most that it can take.</param>
/// <param name="Doing">What is being measured, for example <c>[Vtw(K = 7)]</c>.</param>
public readonly record struct CalibrationProgress(int Done, int Total, string Doing);
