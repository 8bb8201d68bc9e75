namespace Espalier.Imaging;

/// <summary>
/// Decodes JPEG, PNG, WebP, GIF and TIFF by libvips into 8-bit sRGB: the orientation tag is applied, transparency is
/// flattened on white, grey, palette, CMYK and 16-bit pictures are converted. An embedded profile of an RGB picture is
/// ignored, as it was when the models were trained. Damaged and cut-off files are errors, not half pictures.
/// All methods are safe to call from several threads. The native library is loaded at the first call; the environment
/// variable <c>ESPALIER_LIBVIPS</c> names another file than the one beside the application.
/// Files for Linux (glibc and musl), macOS and Windows on x64 and arm64 are pinned; run so far: linux-x64, on CoreCLR and NativeAOT.
/// libvips is told, for the whole process, to block its untrusted loaders and to keep its warnings to itself.
/// </summary>
public static class ImageDecoder
{
    private const string Memory = "the image in memory";

    /// <summary>Decodes a file.</summary>
    /// <param name="path">The path of the file. The name's extension is not looked at.</param>
    /// <param name="limits">What the image may take; <see cref="ImageLimits.Default"/> if null.</param>
    /// <exception cref="ImageException">The file cannot be read or decoded, or exceeds a limit, or the native library is missing.</exception>
    public static DecodedImage Load(string path, ImageLimits? limits = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        limits ??= ImageLimits.Default;
        try
        {
            if (EmptyFile.Is(path))
            {
                return Decode([], limits, path);
            }

            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return Decode(ReadAll(file, limits, path), limits, path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Unreadable(path, problem);
        }
    }

    /// <summary>Decodes a stream, from its position to its end. The stream is not closed.</summary>
    /// <param name="stream">The bytes of an image file.</param>
    /// <param name="limits">What the image may take; <see cref="ImageLimits.Default"/> if null.</param>
    /// <exception cref="ImageException">The stream cannot be read or decoded, or exceeds a limit, or the native library is missing.</exception>
    public static DecodedImage Load(Stream stream, ImageLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        limits ??= ImageLimits.Default;
        try
        {
            return Decode(ReadAll(stream, limits, Memory), limits, Memory);
        }
        catch (Exception problem) when (problem is IOException or NotSupportedException)
        {
            throw Unreadable(Memory, problem);
        }
    }

    /// <summary>Decodes bytes in memory. They are not kept.</summary>
    /// <param name="bytes">The bytes of an image file.</param>
    /// <param name="limits">What the image may take; <see cref="ImageLimits.Default"/> if null.</param>
    /// <exception cref="ImageException">The bytes cannot be decoded, or exceed a limit, or the native library is missing.</exception>
    public static DecodedImage Load(ReadOnlySpan<byte> bytes, ImageLimits? limits = null) => Decode(bytes, limits ?? ImageLimits.Default, Memory);

    private static DecodedImage Decode(ReadOnlySpan<byte> bytes, ImageLimits limits, string source)
    {
        if (bytes.Length > limits.MaximumBytes)
        {
            throw TooManyBytes(limits, source);
        }

        return new LibvipsDecoder(limits, source).Decode(bytes);
    }

    private static ReadOnlySpan<byte> ReadAll(Stream stream, ImageLimits limits, string source)
    {
        // The length is only a hint: devices and growing files do not tell the truth about it.
        long length = stream.CanSeek ? Math.Max(stream.Length - stream.Position, 0) : 0;
        if (length > limits.MaximumBytes)
        {
            throw TooManyBytes(limits, source);
        }

        var bytes = new byte[Math.Min(length + 1, Array.MaxLength)];
        int count = 0;
        while (true)
        {
            int read = stream.Read(bytes, count, bytes.Length - count);
            if (read == 0)
            {
                return bytes.AsSpan(0, count);
            }

            count += read;
            if (count > limits.MaximumBytes)
            {
                throw TooManyBytes(limits, source);
            }

            if (count == bytes.Length)
            {
                Array.Resize(ref bytes, (int)Math.Min(bytes.Length * 2L, Array.MaxLength));
            }
        }
    }

    private static ImageException Unreadable(string source, Exception problem)
        => new(ImageFault.Unreadable, $"{source} cannot be read: {problem.Message}", problem);

    private static ImageException TooManyBytes(ImageLimits limits, string source)
        => new(ImageFault.TooLarge, string.Create(null, $"{source} is longer than the limit ImageLimits.MaximumBytes, {limits.MaximumBytes} bytes"));
}
