namespace Espalier;

/// <summary>How a model is loaded.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed record ModelOptions
{
    /// <summary>Where the sessions run. The default is <see cref="Device.Auto"/>.</summary>
    public Device Device { get; init; } = Device.Auto;

    /// <summary>Told after each session that is built while loading, on the loading thread. Null (the default) tells nobody.</summary>
    public IProgress<LoadProgress>? Progress { get; init; }
}

/// <summary>How far loading a model has come.</summary>
/// <param name="Sessions">Sessions that are ready.</param>
/// <param name="Total">Sessions that the plan needs.</param>
public readonly record struct LoadProgress(int Sessions, int Total);
