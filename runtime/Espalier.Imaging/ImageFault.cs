namespace Espalier.Imaging;

/// <summary>Why an image could not be decoded.</summary>
public enum ImageFault
{
    /// <summary>The file is missing or cannot be read.</summary>
    Unreadable,

    /// <summary>The bytes are none of the formats in <see cref="ImageFormat"/>.</summary>
    UnsupportedFormat,

    /// <summary>The file is damaged or cut off.</summary>
    Corrupt,

    /// <summary>The image exceeds one of the <see cref="ImageLimits"/>.</summary>
    TooLarge,

    /// <summary>The native library is missing, or it is not a libvips that can be used.</summary>
    LibraryUnavailable,
}
