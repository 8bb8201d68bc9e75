using Espalier.Vision;

namespace Espalier.Imaging;

/// <summary>A decoded picture: 8-bit sRGB, upright, without transparency. It owns its pixels, which are ordinary managed memory.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed class DecodedImage
{
    internal DecodedImage(byte[] pixels, int width, int height, ImageFormat format)
    {
        Pixels = pixels;
        Width = width;
        Height = height;
        Format = format;
    }

    /// <summary>The pixels: row-major, three bytes each in the order red, green, blue, <see cref="Width"/> x <see cref="Height"/> x 3 bytes.</summary>
    public byte[] Pixels { get; }

    /// <summary>The number of pixels in a row, after the orientation was applied.</summary>
    public int Width { get; }

    /// <summary>The number of rows, after the orientation was applied.</summary>
    public int Height { get; }

    /// <summary>The format of the file that the picture came from.</summary>
    public ImageFormat Format { get; }

    /// <summary>The picture as the runtime takes it, over the same memory.</summary>
    public RgbImage Rgb => new(Pixels, Width, Height);

    /// <summary>The picture as the runtime takes it, over the same memory.</summary>
    /// <param name="image">The picture, which keeps owning its pixels.</param>
    public static implicit operator RgbImage(DecodedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.Rgb;
    }
}
