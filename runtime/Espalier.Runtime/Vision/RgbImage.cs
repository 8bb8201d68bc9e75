namespace Espalier.Vision;

/// <summary>
/// A picture of 8-bit sRGB pixels: row-major, three bytes a pixel in the order red, green, blue, rows without padding.
/// It refers to memory that the caller owns and must not change while the picture is in use; nothing is copied.
/// </summary>
/// <remarks>Immutable; thread-safe as long as nobody writes to the memory.</remarks>
public readonly struct RgbImage
{
    /// <summary>The number of bytes that one pixel takes.</summary>
    public const int Channels = 3;

    /// <summary>Wraps pixels.</summary>
    /// <param name="pixels">Exactly <paramref name="width"/> x <paramref name="height"/> x 3 bytes.</param>
    /// <param name="width">The number of pixels in a row, at least 1.</param>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is below 1.</exception>
    /// <exception cref="ArgumentException">The number of bytes does not fit the dimensions.</exception>
    public RgbImage(ReadOnlyMemory<byte> pixels, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);

        // Two positive 31-bit numbers: the product of pixels fits 62 bits, and times three still fits 64 unsigned.
        ulong expected = (ulong)width * (ulong)height * Channels;
        if (expected != (ulong)pixels.Length)
        {
            throw new ArgumentException(
                string.Create(null, $"an RGB image of {width} x {height} pixels takes {expected} bytes, but {pixels.Length} were given"),
                nameof(pixels));
        }

        Pixels = pixels;
        Width = width;
        Height = height;
    }

    /// <summary>The pixels: <see cref="Width"/> x <see cref="Height"/> x 3 bytes.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>The number of pixels in a row; 0 only in a default value, which no method accepts.</summary>
    public int Width { get; }

    /// <summary>The number of rows; 0 only in a default value, which no method accepts.</summary>
    public int Height { get; }
}
