namespace Espalier.Imaging;

/// <summary>
/// What an image may take. Bytes are checked before anything is parsed; width, height and pixels are checked when only
/// the header is read, so that a small file which declares a huge picture costs nothing.
/// </summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed record ImageLimits
{
    /// <summary>The limits that apply when none are given.</summary>
    public static ImageLimits Default { get; } = new();

    /// <summary>The longest file, in bytes. 64 MiB unless set.</summary>
    public int MaximumBytes { get; init; } = 64 << 20;

    /// <summary>The largest width, in pixels. 65,535 unless set.</summary>
    public int MaximumWidth { get; init; } = 65_535;

    /// <summary>The largest height, in pixels. 65,535 unless set.</summary>
    public int MaximumHeight { get; init; } = 65_535;

    /// <summary>The largest number of pixels, width x height. 67,108,864 (64 Mi) unless set, which is 192 MiB once decoded. Values above 715,827,882 have no effect: one array holds no more.</summary>
    public int MaximumPixels { get; init; } = 64 << 20;
}
