using Espalier.Vision;

namespace Espalier.Tests.Vision;

public sealed class RgbImageTests
{
    [Fact]
    public void KeepsWhatItIsGiven()
    {
        var pixels = new byte[2 * 5 * 3];
        var image = new RgbImage(pixels, 2, 5);
        Assert.Equal((2, 5), (image.Width, image.Height));
        Assert.True(image.Pixels.Span == pixels.AsSpan());
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(-3, -1)]
    [InlineData(int.MinValue, 1)]
    public void RejectsDimensionsBelowOne(int width, int height)
        => Assert.Throws<ArgumentOutOfRangeException>(() => new RgbImage(new byte[3], width, height));

    [Theory]
    [InlineData(2, 2, 11)]
    [InlineData(2, 2, 13)]
    [InlineData(1, 1, 0)]
    [InlineData(65536, 65536, 0)] // 65536 * 65536 is 0 in 32 bits
    [InlineData(int.MaxValue, int.MaxValue, 3)] // and this is 1
    [InlineData(1431655766, 1, 2)] // times 3 is 2 in 32 bits
    public void RejectsAByteCountThatDoesNotFit(int width, int height, int bytes)
    {
        var error = Assert.Throws<ArgumentException>(() => new RgbImage(new byte[bytes], width, height));
        Assert.Contains($"{width} x {height}", error.Message, StringComparison.Ordinal);
    }
}
