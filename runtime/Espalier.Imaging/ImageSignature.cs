namespace Espalier.Imaging;

/// <summary>
/// Tells the format by the first bytes. It is done here, not by the library's own search, so that no other parser than
/// the five ever sees the bytes, and so that a cut-off TIFF is reported as damaged and not as unknown.
/// </summary>
internal static class ImageSignature
{
    /// <summary>The format that the bytes begin as, or null.</summary>
    public static ImageFormat? Find(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
        {
            return ImageFormat.Jpeg;
        }

        if (bytes.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1A, (byte)'\n']))
        {
            return ImageFormat.Png;
        }

        if (bytes.StartsWith("RIFF"u8) && bytes.Length >= 12 && bytes[8..].StartsWith("WEBP"u8))
        {
            return ImageFormat.WebP;
        }

        if (bytes.StartsWith("GIF87a"u8) || bytes.StartsWith("GIF89a"u8))
        {
            return ImageFormat.Gif;
        }

        // Little and big endian, classic (42) and BigTIFF (43).
        return bytes.StartsWith("II*\0"u8) || bytes.StartsWith("MM\0*"u8) || bytes.StartsWith("II+\0"u8) || bytes.StartsWith("MM\0+"u8)
            ? ImageFormat.Tiff
            : null;
    }
}
