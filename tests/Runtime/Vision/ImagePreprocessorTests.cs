using System.Security.Cryptography;
using System.Text;
using Espalier.Vision;

namespace Espalier.Tests.Vision;

public sealed class ImagePreprocessorTests
{
    private const string GreyLevels = "\"do_rescale\": false, \"do_normalize\": false";

    // Digests of what PIL 9.4 makes of the same picture by Image.resize((width, height), filter).
    [Theory]
    [InlineData(1, 17, 13, 5, 4, "2a08b56216cfc837")]
    [InlineData(1, 5, 4, 17, 13, "0ee5eb520439cc23")]
    [InlineData(1, 300, 2, 16, 16, "1e915ec3a379331e")]
    [InlineData(1, 33, 9, 33, 20, "587ed4daacd3e0b4")]
    [InlineData(2, 17, 13, 5, 4, "f403a597957fdf84")]
    [InlineData(2, 5, 4, 17, 13, "a005b0280f144655")]
    [InlineData(2, 300, 2, 16, 16, "3524352baea14b14")]
    [InlineData(2, 33, 9, 33, 20, "6e4e96d321096f47")]
    [InlineData(3, 17, 13, 5, 4, "bb145f4e9d81f9e5")]
    [InlineData(3, 5, 4, 17, 13, "ffb249a4a35c73e2")]
    [InlineData(3, 300, 2, 16, 16, "473d82cd939f47ad")]
    [InlineData(3, 33, 9, 33, 20, "fe65b4c17fb82020")]
    public void ResizesAsPilDoes(int filter, int width, int height, int targetWidth, int targetHeight, string digest)
    {
        ImagePreprocessor preprocessor = Parse(
            $$"""{"image_processor_type": "SiglipImageProcessor", "resample": {{filter}}, "size": {"height": {{targetHeight}}, "width": {{targetWidth}}}, {{GreyLevels}}}""");

        byte[] pixels = Interleave(Process(preprocessor, Pattern(width, height)), targetWidth, targetHeight);

        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(pixels))[..16]);
    }

    [Fact]
    public void WritesOnePlanePerChannelRescaledThenNormalised()
    {
        ImagePreprocessor preprocessor = Parse(
            """{"image_processor_type": "SiglipImageProcessor", "size": {"height": 1, "width": 2}, "image_mean": [0.5, 0.25, 0], "image_std": [0.5, 2, 1]}""");
        var image = new RgbImage(new byte[] { 255, 51, 0, 0, 102, 255 }, 2, 1);

        float[] output = Process(preprocessor, image);

        Assert.Equal([1f, -1f, ((float)(51 / 255.0) - 0.25f) / 2f, ((float)(102 / 255.0) - 0.25f) / 2f, 0f, 1f], output);
    }

    [Theory]
    [InlineData(10, 10, 4, 4, 3, 3)] // (10 - 4) / 2
    [InlineData(9, 11, 4, 4, 2, 3)] // 2.5 and 3.5 round down
    [InlineData(2, 2, 5, 5, -2, -2)] // -1.5 rounds down to -2: two columns of zeros before, one behind
    [InlineData(3, 9, 6, 4, -2, 2)] // too narrow and too tall at once
    public void CropsTheCentreAndFillsWithZeros(int width, int height, int cropWidth, int cropHeight, int left, int top)
    {
        ImagePreprocessor preprocessor = Parse(
            $$"""{"image_processor_type": "CLIPImageProcessor", "do_resize": false, "crop_size": {"height": {{cropHeight}}, "width": {{cropWidth}}}, {{GreyLevels}}}""");
        RgbImage image = Pattern(width, height);

        byte[] output = Interleave(Process(preprocessor, image), cropWidth, cropHeight);

        for (int y = 0; y < cropHeight; y++)
        {
            for (int x = 0; x < cropWidth; x++)
            {
                (int sourceX, int sourceY) = (x + left, y + top);
                bool inside = sourceX >= 0 && sourceX < width && sourceY >= 0 && sourceY < height;
                byte[] expected = inside ? image.Pixels.Slice(((sourceY * width) + sourceX) * 3, 3).ToArray() : [0, 0, 0];
                Assert.Equal(expected, output.AsSpan(((y * cropWidth) + x) * 3, 3).ToArray());
            }
        }
    }

    [Fact]
    public void TheZeroBorderOfACropIsNormalisedToo()
    {
        ImagePreprocessor preprocessor = Parse("""{"image_processor_type": "CLIPImageProcessor", "do_resize": false, "crop_size": 3}""");

        float[] output = Process(preprocessor, new RgbImage(new byte[] { 255, 255, 255 }, 1, 1));

        Assert.Equal((0f - 0.48145466f) / 0.26862954f, output[0]);
        Assert.Equal((1f - 0.48145466f) / 0.26862954f, output[4]);
    }

    [Theory]
    [InlineData(4, 2, 0, 1)]
    [InlineData(1, 4, 1, 0)] // three columns to add: one before, two behind
    public void PadsToASquareOfTheMeanColour(int width, int height, int left, int top)
    {
        ImagePreprocessor preprocessor = Parse(
            $$"""{"image_processor_type": "LlavaImageProcessor", "do_pad": true, "size": {"shortest_edge": 4}, "crop_size": 4, {{GreyLevels}}}""");
        RgbImage image = Pattern(width, height);

        byte[] output = Interleave(Process(preprocessor, image), 4, 4);

        for (int index = 0; index < 16; index++)
        {
            (int x, int y) = ((index % 4) - left, (index / 4) - top);
            bool inside = x >= 0 && x < width && y >= 0 && y < height;
            byte[] expected = inside ? image.Pixels.Slice(((y * width) + x) * 3, 3).ToArray() : [122, 116, 104];
            Assert.Equal(expected, output.AsSpan(index * 3, 3).ToArray());
        }
    }

    [Fact]
    public void LeavesTheFloatsBehindTheOutputAlone()
    {
        ImagePreprocessor preprocessor = Parse("""{"image_processor_type": "CLIPImageProcessor", "size": 2, "crop_size": 2}""");
        float[] destination = [.. Enumerable.Repeat(-99f, preprocessor.OutputLength + 2)];

        preprocessor.Process(Pattern(3, 3), destination);

        Assert.DoesNotContain(-99f, destination[..^2]);
        Assert.Equal([-99f, -99f], destination[^2..]);
    }

    [Fact]
    public void RejectsADefaultImage()
    {
        ImagePreprocessor preprocessor = Parse("""{"image_processor_type": "CLIPImageProcessor"}""");
        Assert.Throws<ArgumentException>(() => preprocessor.Process(default, new float[preprocessor.OutputLength]));
    }

    [Fact]
    public void RejectsAShortDestination()
    {
        ImagePreprocessor preprocessor = Parse("""{"image_processor_type": "CLIPImageProcessor"}""");
        var error = Assert.Throws<ArgumentException>(() => preprocessor.Process(Pattern(4, 4), new float[preprocessor.OutputLength - 1]));
        Assert.Contains("150528", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(65_536, 1)]
    [InlineData(1, 65_536)]
    public void NamesTheEdgeLimit(int width, int height)
    {
        ImagePreprocessor preprocessor = Parse("""{"image_processor_type": "CLIPImageProcessor"}""");
        var error = Assert.Throws<PreprocessorException>(() => preprocessor.Process(Pattern(width, height), new float[preprocessor.OutputLength]));
        Assert.Contains("ImagePreprocessor.MaximumImageEdge", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NamesTheIntermediateLimit()
    {
        ImagePreprocessor preprocessor = Parse("""{"image_processor_type": "SiglipImageProcessor", "size": {"height": 8, "width": 4096}}""");
        var error = Assert.Throws<PreprocessorException>(() => preprocessor.Process(Pattern(1, 60_000), new float[preprocessor.OutputLength]));
        Assert.Contains("ImagePreprocessor.MaximumIntermediateBytes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(65_535, 1, false)]
    [InlineData(1, 65_535, false)]
    [InlineData(65_535, 1, true)] // the square that padding makes would take 12 GB
    public void TakesTheLongestEdgeInBoundedMemory(int width, int height, bool pad)
    {
        ImagePreprocessor preprocessor = Parse(
            $$"""{"image_processor_type": "LlavaImageProcessor", "do_pad": {{(pad ? "true" : "false")}}, "size": 336, "crop_size": 8, {{GreyLevels}}}""");
        long before = GC.GetAllocatedBytesForCurrentThread();

        float[] output = Process(preprocessor, Pattern(width, height));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        Assert.All(output, value => Assert.InRange(value, 0f, 255f));
    }

    [Fact]
    public void AllocatesNothingOnceWarm()
    {
        ImagePreprocessor preprocessor = Parse("""{"image_processor_type": "LlavaImageProcessor", "do_pad": true, "size": 56, "crop_size": 48}""");
        RgbImage image = Pattern(320, 200);
        var output = new float[preprocessor.OutputLength];
        preprocessor.Process(image, output);
        Allocation.AssertNone(() => preprocessor.Process(image, output), times: 20);
    }

    [Fact]
    public void ServesSeveralThreadsAtOnce()
    {
        ImagePreprocessor preprocessor = Parse("""{"image_processor_type": "CLIPImageProcessor", "size": 48, "crop_size": 48}""");
        float[][] expected = [.. Enumerable.Range(0, 8).Select(index => Process(preprocessor, Pattern(50 + (9 * index), 70)))];

        Parallel.For(0, 64, round => Assert.Equal(expected[round % 8], Process(preprocessor, Pattern(50 + (9 * (round % 8)), 70))));
    }

    private static ImagePreprocessor Parse(string json) => ImagePreprocessor.Parse(Encoding.UTF8.GetBytes(json));

    private static float[] Process(ImagePreprocessor preprocessor, RgbImage image)
    {
        var output = new float[preprocessor.OutputLength];
        preprocessor.Process(image, output);
        return output;
    }

    private static RgbImage Pattern(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        for (int index = 0; index < pixels.Length; index++)
        {
            long value = index;
            pixels[index] = (byte)((value * value * 7) + (value * 37));
        }

        return new RgbImage(pixels, width, height);
    }

    private static byte[] Interleave(float[] planes, int width, int height)
    {
        var pixels = new byte[planes.Length];
        for (int index = 0; index < pixels.Length; index++)
        {
            pixels[index] = checked((byte)planes[(index % 3 * width * height) + (index / 3)]);
        }

        return pixels;
    }
}
