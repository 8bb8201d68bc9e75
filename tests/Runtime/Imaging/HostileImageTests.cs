using System.Diagnostics;
using System.Text;
using Espalier.Imaging;

namespace Espalier.Tests.Imaging;

public sealed class HostileImageTests
{
    public static TheoryData<string> Files =>
    [
        "rgb.png", "rgb.jpg", "rgb.webp", "rgb.gif", "rgb.tiff",
        "interlaced.png", "palette.png", "clear-palette.png", "rgb-16.png", "orientation-6.png",
        "rgb-progressive.jpg", "cmyk.jpg", "orientation-6.jpg", "animated.webp", "animated.gif",
        "rgb-deflate.tiff", "black-white.tiff", "cmyk.tiff", "pages.tiff", "orientation-6.tiff",
    ];

    [Theory]
    [InlineData("rgb.png")]
    [InlineData("interlaced.png")]
    [InlineData("rgb.jpg")]
    [InlineData("rgb-progressive.jpg")]
    [InlineData("rgb.webp")]
    [InlineData("rgb.tiff")]
    [InlineData("rgb.gif")]
    public void ACutOffFileIsAnError(string file)
    {
        byte[] bytes = SampleImages.Read(file);
        foreach (double part in (double[])[0.8, 0.6, 0.4])
        {
            int length = (int)(bytes.Length * part);
            var error = Assert.Throws<ImageException>(() => ImageDecoder.Load(bytes.AsSpan(0, length)));
            Assert.True(error.Fault == ImageFault.Corrupt, $"{file} cut to {length} of {bytes.Length} bytes is {error.Fault}: {error.Message}");
        }
    }

    [Theory]
    [InlineData("rgb.png", 8)]
    [InlineData("rgb.jpg", 3)]
    [InlineData("rgb.webp", 12)]
    [InlineData("rgb.gif", 6)]
    [InlineData("rgb.tiff", 4)]
    public void ASignatureAloneIsADamagedFile(string file, int length)
    {
        byte[] bytes = SampleImages.Read(file)[..length];
        Assert.Equal(ImageFault.Corrupt, Assert.Throws<ImageException>(() => ImageDecoder.Load(bytes)).Fault);
        Assert.Equal(ImageFault.UnsupportedFormat, Assert.Throws<ImageException>(() => ImageDecoder.Load(bytes.AsSpan(0, length - 1))).Fault);
    }

    [Fact]
    public void ASmallFileThatDeclaresAHugePictureIsNotDecoded()
    {
        string path = SampleImages.Find("bomb.png");
        var watch = Stopwatch.StartNew();
        var error = Assert.Throws<ImageException>(() => ImageDecoder.Load(path));

        Assert.Equal(ImageFault.TooLarge, error.Fault);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("60000 x 60000", error.Message, StringComparison.Ordinal);
        Assert.Contains("ImageLimits.MaximumPixels", error.Message, StringComparison.Ordinal);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"it took {watch.Elapsed}");
    }

    [Theory]
    [InlineData("bomb.gif", ImageFault.TooLarge)] // the frame is larger than the canvas
    [InlineData("bomb.tiff", ImageFault.Corrupt)] // the tile is larger than the picture
    public void AHugePartOfASmallPictureIsNotDecoded(string file, ImageFault fault)
        => Assert.Equal(fault, Assert.Throws<ImageException>(() => ImageDecoder.Load(SampleImages.Find(file))).Fault);

    [Fact]
    public void NoLimitAllowsMoreThanAnArrayHolds()
    {
        var limits = new ImageLimits { MaximumPixels = int.MaxValue };
        Assert.Equal(ImageFault.TooLarge, Assert.Throws<ImageException>(() => ImageDecoder.Load(SampleImages.Read("bomb.png"), limits)).Fault);
    }

    [Theory]
    [InlineData("MaximumWidth", 23, 16, 384, 1 << 20)]
    [InlineData("MaximumHeight", 24, 15, 384, 1 << 20)]
    [InlineData("MaximumPixels", 24, 16, 383, 1 << 20)]
    [InlineData("MaximumBytes", 24, 16, 384, 101)]
    [InlineData(null, 24, 16, 384, 102)]
    public void EachLimitIsExactAndNamed(string? name, int width, int height, int pixels, int bytes)
    {
        var limits = new ImageLimits { MaximumWidth = width, MaximumHeight = height, MaximumPixels = pixels, MaximumBytes = bytes };
        byte[] file = SampleImages.Read("rgb.png");
        Assert.Equal(102, file.Length);
        using var stream = new MemoryStream(file);
        foreach (Func<DecodedImage> load in (Func<DecodedImage>[])[
            () => ImageDecoder.Load(SampleImages.Find("rgb.png"), limits),
            () => ImageDecoder.Load(file, limits),
            () => ImageDecoder.Load(stream, limits)])
        {
            if (name is null)
            {
                Assert.Equal(24, load().Width);
                continue;
            }

            var error = Assert.Throws<ImageException>(load);
            Assert.Equal(ImageFault.TooLarge, error.Fault);
            Assert.Contains($"ImageLimits.{name}", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AnEndlessStreamStopsAtTheLimit()
    {
        using var stream = new EndlessStream();
        var error = Assert.Throws<ImageException>(() => ImageDecoder.Load(stream, new ImageLimits { MaximumBytes = 100_000 }));
        Assert.Equal(ImageFault.TooLarge, error.Fault);
        Assert.InRange(stream.Delivered, 100_001, 400_000);
    }

    [Theory]
    [InlineData("not-supported.svg")]
    [InlineData("not-supported.pdf")]
    [InlineData("not-supported.bmp")]
    [InlineData("make_files.py")]
    public void OtherFormatsAreRefused(string file)
    {
        var error = Assert.Throws<ImageException>(() => ImageDecoder.Load(SampleImages.Find(file)));
        Assert.Equal(ImageFault.UnsupportedFormat, error.Fault);
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FormatsThatTheLibraryWouldReadAreRefusedToo()
    {
        byte[][] files =
        [
            Encoding.ASCII.GetBytes("P6 1 1 255\nabc"),
            Encoding.ASCII.GetBytes("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\nabcd"),
            [0x08, 0xF2, 0xA6, 0xB6, .. new byte[100]], // libvips' own format
            [0, 0, 0, 24, .. "ftypavif"u8, 0, 0, 0, 0, .. "mif1avif"u8, .. new byte[100]],
            Encoding.ASCII.GetBytes("1 1\n255\n"),
        ];
        Assert.All(files, bytes => Assert.Equal(ImageFault.UnsupportedFormat, Assert.Throws<ImageException>(() => ImageDecoder.Load(bytes)).Fault));
    }

    [Fact]
    public void NothingAtAllIsRefused()
    {
        Assert.Equal(ImageFault.UnsupportedFormat, Assert.Throws<ImageException>(() => ImageDecoder.Load([])).Fault);
        Assert.Equal(ImageFault.UnsupportedFormat, Assert.Throws<ImageException>(() => ImageDecoder.Load(Stream.Null)).Fault);
    }

    [Fact]
    public void GarbageIsRefused()
    {
        var random = new Random(3);
        for (int length = 1; length < 5_000; length += 97)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            Assert.Equal(ImageFault.UnsupportedFormat, Assert.Throws<ImageException>(() => ImageDecoder.Load(bytes)).Fault);
        }
    }

    [Fact]
    public void AMissingFileIsNamed()
    {
        string path = SampleImages.Find("missing.png");
        var error = Assert.Throws<ImageException>(() => ImageDecoder.Load(path));
        Assert.Equal(ImageFault.Unreadable, error.Fault);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderIsNotAnImage()
        => Assert.Equal(ImageFault.Unreadable, Assert.Throws<ImageException>(() => ImageDecoder.Load(RepositoryFolder.Root)).Fault);

    [Fact]
    public void ErrorsHaveTheBaseTypeOfAllErrors()
        => Assert.IsAssignableFrom<EspalierException>(Assert.Throws<ImageException>(() => ImageDecoder.Load([1])));

    /// <summary>Damages headers more often than data, because that is where sizes and offsets are.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void DamagedBytesGiveAPictureOrATypedError(string file)
    {
        byte[] good = SampleImages.Read(file);
        var random = new Random(file.Length + good.Length);
        var limits = new ImageLimits { MaximumPixels = 1 << 20 };
        int refused = 0;
        for (int round = 0; round < 100; round++)
        {
            byte[] bytes = [.. good];
            int range = round % 2 == 0 ? Math.Min(bytes.Length, 64) : bytes.Length;
            for (int edits = 1 + (round % 4); edits > 0; edits--)
            {
                bytes[random.Next(range)] = random.Next(4) switch { 0 => 0, 1 => 0xFF, 2 => 0x7F, _ => (byte)random.Next(256) };
            }

            try
            {
                DecodedImage image = ImageDecoder.Load(bytes, limits);
                Assert.Equal(image.Width * image.Height * 3, image.Pixels.Length);
            }
            catch (ImageException error)
            {
                Assert.NotEqual(ImageFault.LibraryUnavailable, error.Fault);
                refused++;
            }
        }

        Assert.True(refused > 0, "no damage was noticed");
    }

    private sealed class EndlessStream : MemoryStream
    {
        public long Delivered { get; private set; }

        public override bool CanSeek => false;

        public override int Read(byte[] buffer, int offset, int count)
        {
            buffer.AsSpan(offset, count).Fill(0x89);
            Delivered += count;
            return count;
        }
    }
}
