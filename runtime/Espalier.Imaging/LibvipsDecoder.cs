using Espalier.Imaging.Native;
using Espalier.Vision;

namespace Espalier.Imaging;

/// <summary>One decoding: finds the loader, checks the header against the limits, then lets libvips compute the pixels.</summary>
internal readonly unsafe struct LibvipsDecoder
{
    private const int UpperLeft = 1;
    private const int UnsignedChar = 0;

    private readonly Libvips _vips;
    private readonly ImageLimits _limits;
    private readonly string _source;

    public LibvipsDecoder(ImageLimits limits, string source)
    {
        _vips = Libvips.Instance;
        _limits = limits;
        _source = source;
    }

    public DecodedImage Decode(ReadOnlySpan<byte> bytes)
    {
        ImageFormat format = ImageSignature.Find(bytes) ?? throw new ImageException(
            ImageFault.UnsupportedFormat,
            bytes.IsEmpty ? $"{_source} is empty" : $"{_source} is not a JPEG, PNG, WebP, GIF or TIFF image; convert it to one of these");
        fixed (byte* pinned = bytes)
        {
            try
            {
                using GObjectHandle loaded = Open(format, pinned, bytes.Length);
                CheckLimits(loaded);
                using GObjectHandle colored = ToRgb(loaded);
                using GObjectHandle upright = ToUpright(colored);
                return Read(upright, format);
            }
            finally
            {
                // This thread's share of libvips' caches would otherwise stay as long as the thread does.
                _vips.ThreadShutdown();
            }
        }
    }

    private GObjectHandle Open(ImageFormat format, byte* bytes, int length)
    {
        using VipsOperation load = VipsOperation.Create(Loader(format));
        return Checked(load.With(bytes, length).With("access\0"u8, "sequential\0"u8).With("fail_on\0"u8, "error\0"u8).Run());
    }

    private void CheckLimits(GObjectHandle image)
    {
        int width = _vips.ImageWidth(image.Pointer);
        int height = _vips.ImageHeight(image.Pointer);
        int pixels = Math.Min(_limits.MaximumPixels, Array.MaxLength / RgbImage.Channels);
        (string Name, int Value)? exceeded =
            width > _limits.MaximumWidth ? ("MaximumWidth", _limits.MaximumWidth)
            : height > _limits.MaximumHeight ? ("MaximumHeight", _limits.MaximumHeight)
            : (long)width * height > pixels ? ("MaximumPixels", pixels)
            : null;
        if (exceeded is { } limit)
        {
            throw new ImageException(
                ImageFault.TooLarge,
                string.Create(null, $"{_source} has {width} x {height} pixels, which exceeds the limit ImageLimits.{limit.Name}, {limit.Value}; it was not decoded"));
        }
    }

    private GObjectHandle ToRgb(GObjectHandle image)
    {
        using VipsOperation convert = VipsOperation.Create("colourspace\0"u8);
        GObjectHandle current = Checked(convert.With(image).With("space\0"u8, "srgb\0"u8).Run());
        if (_vips.ImageHasAlpha(current.Pointer) != 0)
        {
            using VipsOperation flatten = VipsOperation.Create("flatten\0"u8);
            current = Replace(current, flatten.With(current).With("background\0"u8, "255 255 255\0"u8));
        }

        if (_vips.ImageBands(current.Pointer) > RgbImage.Channels)
        {
            using VipsOperation extract = VipsOperation.Create("extract_band\0"u8);
            current = Replace(current, extract.With(current).With("band\0"u8, "0\0"u8).With("n\0"u8, "3\0"u8));
        }

        if (_vips.ImageFormat(current.Pointer) != UnsignedChar)
        {
            using VipsOperation cast = VipsOperation.Create("cast\0"u8);
            current = Replace(current, cast.With(current).With("format\0"u8, "uchar\0"u8));
        }

        return current;
    }

    private GObjectHandle ToUpright(GObjectHandle image)
    {
        // Rotation needs the pixels in another order than a sequential loader delivers them.
        using var memory = _vips.ImageOrientation(image.Pointer) == UpperLeft ? null : Checked(Own(_vips.ImageCopyMemory(image.Pointer)));
        using VipsOperation rotate = VipsOperation.Create("autorot\0"u8);
        return Checked(rotate.With(memory ?? image).Run());
    }

    private DecodedImage Read(GObjectHandle image, ImageFormat format)
    {
        int width = _vips.ImageWidth(image.Pointer);
        int height = _vips.ImageHeight(image.Pointer);
        long expected = (long)width * height * RgbImage.Channels;
        if (_vips.ImageBands(image.Pointer) != RgbImage.Channels || expected > Array.MaxLength)
        {
            throw new ImageException(ImageFault.UnsupportedFormat, $"{_source} has channels that cannot be converted to sRGB; convert it to an RGB image");
        }

        nuint size;
        nint memory = _vips.ImageWriteToMemory(image.Pointer, &size);
        if (memory == 0)
        {
            throw Corrupt();
        }

        try
        {
            if (size != (nuint)expected)
            {
                throw Corrupt();
            }

            return new DecodedImage(new ReadOnlySpan<byte>((void*)memory, (int)expected).ToArray(), width, height, format);
        }
        finally
        {
            _vips.Free(memory);
        }
    }

    private GObjectHandle Replace(GObjectHandle current, VipsOperation operation)
    {
        using (current)
        {
            return Checked(operation.Run());
        }
    }

    private static GObjectHandle? Own(nint reference) => reference == 0 ? null : new GObjectHandle(reference);

    private GObjectHandle Checked(GObjectHandle? image) => image ?? throw Corrupt();

    private ImageException Corrupt() => new(ImageFault.Corrupt, $"{_source} is damaged or uses a variant of its format that cannot be decoded: {_vips.TakeError()}");

    private static ReadOnlySpan<byte> Loader(ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => "jpegload_buffer\0"u8,
        ImageFormat.Png => "pngload_buffer\0"u8,
        ImageFormat.WebP => "webpload_buffer\0"u8,
        ImageFormat.Gif => "gifload_buffer\0"u8,
        _ => "tiffload_buffer\0"u8,
    };
}
