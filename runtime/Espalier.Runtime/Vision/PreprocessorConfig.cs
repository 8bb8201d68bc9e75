namespace Espalier.Vision;

/// <summary>What a <c>preprocessor_config.json</c> says, with the defaults of its image processor class filled in.</summary>
internal sealed record PreprocessorConfig
{
    /// <summary>The file, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>Whether the picture is first centred on a square of its longer edge, filled with the mean colour.</summary>
    public required bool PadToSquare { get; init; }

    /// <summary>What the picture is resized to, or null if it is not.</summary>
    public required ResizeTarget? Resize { get; init; }

    /// <summary>The filter of the resize.</summary>
    public required ResampleFilter Filter { get; init; }

    /// <summary>The centred window that is kept, or null if all is kept.</summary>
    public required (int Width, int Height)? Crop { get; init; }

    /// <summary>What 8-bit values are multiplied by, or null if they stay 0 to 255.</summary>
    public required double? RescaleFactor { get; init; }

    /// <summary>The channel means and deviations to normalise by, or null.</summary>
    public required (double[] Mean, double[] Deviation)? Normalization { get; init; }

    /// <summary>The channel means, which also give the padding its colour.</summary>
    public required double[] Mean { get; init; }
}

/// <summary>The size to resize to: the shortest edge with the aspect ratio kept, or both edges.</summary>
/// <param name="ShortestEdge">The length of the shortest edge, or 0 if both edges are given.</param>
/// <param name="Width">The width, if both edges are given.</param>
/// <param name="Height">The height, if both edges are given.</param>
internal readonly record struct ResizeTarget(int ShortestEdge, int Width, int Height)
{
    /// <summary>The size that an image of the given size gets. The longer edge is rounded down, as the Python <c>int(size * long / short)</c> does.</summary>
    public (int Width, int Height) For(int width, int height)
    {
        if (ShortestEdge == 0)
        {
            return (Width, Height);
        }

        return width <= height
            ? (ShortestEdge, checked((int)((long)ShortestEdge * height / width)))
            : (checked((int)((long)ShortestEdge * width / height)), ShortestEdge);
    }
}
