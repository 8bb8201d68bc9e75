using Espalier.Imaging;
using Espalier.Vision;

namespace Espalier.Tests.Imaging;

public sealed class ImageDecoderTests
{
    private static readonly byte[] White = [255, 255, 255];

    [Theory]
    [InlineData("rgb.png", ImageFormat.Png, 0)]
    [InlineData("rgb-16.png", ImageFormat.Png, 0)]
    [InlineData("palette.png", ImageFormat.Png, 0)]
    [InlineData("interlaced.png", ImageFormat.Png, 0)]
    [InlineData("rgb.jpg", ImageFormat.Jpeg, 3)]
    [InlineData("rgb-progressive.jpg", ImageFormat.Jpeg, 3)]
    [InlineData("rgb.webp", ImageFormat.WebP, 0)]
    [InlineData("rgb.gif", ImageFormat.Gif, 0)]
    [InlineData("rgb.tiff", ImageFormat.Tiff, 0)]
    [InlineData("rgb-deflate.tiff", ImageFormat.Tiff, 0)]
    [InlineData("animated.gif", ImageFormat.Gif, 0)] // the second frame is red
    [InlineData("animated.webp", ImageFormat.WebP, 0)]
    [InlineData("pages.tiff", ImageFormat.Tiff, 0)]
    public void DecodesEachFormat(string file, ImageFormat format, int tolerance)
    {
        DecodedImage image = ImageDecoder.Load(SampleImages.Find(file));
        Assert.Equal(format, image.Format);
        SampleImages.AssertShows(SampleImages.Color, image, tolerance);
    }

    [Theory]
    [InlineData("orientation-1.jpg", 4)]
    [InlineData("orientation-2.jpg", 4)]
    [InlineData("orientation-3.jpg", 4)]
    [InlineData("orientation-4.jpg", 4)]
    [InlineData("orientation-5.jpg", 4)]
    [InlineData("orientation-6.jpg", 4)]
    [InlineData("orientation-7.jpg", 4)]
    [InlineData("orientation-8.jpg", 4)]
    [InlineData("orientation-6.png", 0)]
    [InlineData("orientation-6.webp", 0)]
    [InlineData("orientation-6.tiff", 0)]
    public void TurnsThePictureUpright(string file, int tolerance)
        => SampleImages.AssertShows(SampleImages.Color, ImageDecoder.Load(SampleImages.Find(file)), tolerance);

    [Theory]
    [InlineData("grey.png", 0)]
    [InlineData("grey-16.png", 0)]
    [InlineData("grey.jpg", 3)]
    public void SpreadsGreyOverTheChannels(string file, int tolerance)
        => SampleImages.AssertShows(Grey, ImageDecoder.Load(SampleImages.Find(file)), tolerance);

    [Theory]
    [InlineData("black-white.png")]
    [InlineData("black-white.tiff")]
    public void DecodesOneBitAPixel(string file)
        => SampleImages.AssertShows((x, y) => Grey(x, y)[0] > 127 ? White : [0, 0, 0], ImageDecoder.Load(SampleImages.Find(file)), 0);

    [Theory]
    [InlineData("clear.png")]
    [InlineData("clear-16.png")]
    [InlineData("clear.webp")]
    [InlineData("clear.tiff")]
    [InlineData("clear-palette.png")]
    public void ShowsWhiteWhereThePictureIsTransparent(string file)
        => SampleImages.AssertShows((x, y) => x is >= 8 and < 16 ? White : SampleImages.Color(x, y), ImageDecoder.Load(SampleImages.Find(file)), 0);

    [Fact]
    public void ShowsWhiteWhereAGifIsTransparent()
        => SampleImages.AssertShows(
            (x, y) => x is >= 8 and < 16 && y < 8 ? White : SampleImages.Color(x, y),
            ImageDecoder.Load(SampleImages.Find("clear.gif")),
            0);

    [Fact]
    public void MixesHalfTransparentPixelsWithWhite()
        => SampleImages.AssertShows((x, y) => Half(SampleImages.Color(x, y)), ImageDecoder.Load(SampleImages.Find("half.png")), 1);

    [Fact]
    public void MixesHalfTransparentGreyWithWhite()
        => SampleImages.AssertShows((x, y) => Half(Grey(x, y)), ImageDecoder.Load(SampleImages.Find("half-grey.png")), 1);

    // Printed colours are duller than the screen's. The numbers are those of libvips' profile of coated paper.
    [Theory]
    [InlineData("cmyk.jpg")]
    [InlineData("cmyk.tiff")]
    public void ConvertsInksToColors(string file)
    {
        byte[][] inks = [[232, 31, 42], [0, 143, 63], [48, 36, 123], White, [49, 39, 56], [255, 240, 0]];
        SampleImages.AssertShows((x, y) => inks[(y / 8 * 3) + (x / 8)], ImageDecoder.Load(SampleImages.Find(file)), 6);
    }

    [Fact]
    public void DecodesFromMemoryAndFromStreamsAlike()
    {
        byte[] bytes = SampleImages.Read("rgb.jpg");
        byte[] expected = ImageDecoder.Load(SampleImages.Find("rgb.jpg")).Pixels;

        using var seekable = new MemoryStream([1, 2, 3, .. bytes]) { Position = 3 };
        using var unseekable = new DrippingStream(bytes);

        Assert.Equal(expected, ImageDecoder.Load(bytes).Pixels);
        Assert.Equal(expected, ImageDecoder.Load(seekable).Pixels);
        Assert.Equal(expected, ImageDecoder.Load(unseekable).Pixels);
        Assert.True(seekable.CanRead);
    }

    [Fact]
    public void GoesToTheRuntimeWithoutACopy()
    {
        DecodedImage image = ImageDecoder.Load(SampleImages.Find("rgb.png"));
        RgbImage rgb = image;
        Assert.Equal((image.Width, image.Height), (rgb.Width, rgb.Height));
        Assert.True(rgb.Pixels.Span == image.Pixels.AsSpan());
    }

    [Fact]
    public void ServesSeveralThreadsAtOnce()
    {
        string[] files = ["rgb.png", "orientation-6.jpg", "clear.webp", "animated.gif", "pages.tiff", "cmyk.jpg"];
        byte[][] contents = [.. files.Select(SampleImages.Read)];
        byte[][] expected = [.. contents.Select(bytes => ImageDecoder.Load(bytes).Pixels)];
        Parallel.For(0, 300, round =>
        {
            int file = round % files.Length;
            Assert.Equal(expected[file], ImageDecoder.Load(contents[file]).Pixels);
            Assert.Throws<ImageException>(() => ImageDecoder.Load(contents[file].AsSpan(0, contents[file].Length / 2)));
        });
    }

    private static byte[] Grey(int x, int y)
    {
        byte[] color = SampleImages.Color(x, y);
        byte level = (byte)(((color[0] * 19595) + (color[1] * 38470) + (color[2] * 7471) + 0x8000) >> 16); // ITU-R 601, as PIL
        return [level, level, level];
    }

    private static byte[] Half(byte[] color)
        => [.. color.Select(level => (byte)Math.Round(((level * 128) + (255 * 127)) / 255.0))];

    private sealed class DrippingStream(byte[] bytes) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int read = Math.Min(Math.Min(count, 7), bytes.Length - _position);
            bytes.AsSpan(_position, read).CopyTo(buffer.AsSpan(offset));
            _position += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
