using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Espalier.Imaging;
using Espalier.Tests.Imaging;
using Espalier.Vision;
using Xunit.Abstractions;

namespace Espalier.Tests.Vision;

/// <summary>Holds the whole path, from the PNG file to the cropped grey levels, to what PIL made of the same 50 pictures (tests/reference/golden_images.py).</summary>
public sealed class ResizeGoldenTests(ITestOutputHelper output)
{
    private static readonly string Reference = RepositoryFolder.Combine("tests", "reference");

    [Fact]
    public void DecodedPicturesAreThoseOfPil()
    {
        using JsonDocument index = ReadIndex();
        int count = 0;
        foreach (JsonElement picture in index.RootElement.GetProperty("images").EnumerateArray())
        {
            DecodedImage image = LoadPicture(picture.GetProperty("file").GetString()!);
            Assert.Equal((picture.GetProperty("width").GetInt32(), picture.GetProperty("height").GetInt32()), (image.Width, image.Height));
            Assert.Equal(picture.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(image.Pixels)));
            count++;
        }

        Assert.Equal(50, count);
    }

    [Fact]
    public void AllCasesAreWithinOneGreyLevelOfPil()
    {
        using JsonDocument index = ReadIndex();
        byte[] expected = ReadPixels(index.RootElement);
        int cases = 0, greatest = 0;
        long values = 0, equal = 0;
        foreach (JsonElement entry in index.RootElement.GetProperty("cases").EnumerateArray())
        {
            int size = entry.GetProperty("size").GetInt32();
            ImagePreprocessor preprocessor = ImagePreprocessor.Parse(Encoding.UTF8.GetBytes(
                Config(entry.GetProperty("pipeline").GetString()!, entry.GetProperty("resize").GetInt32(), size)));
            var levels = new float[preprocessor.OutputLength];
            preprocessor.Process(LoadPicture(entry.GetProperty("image").GetString()!), levels);

            Assert.Equal(size * size * 3, levels.Length);
            int offset = entry.GetProperty("offset").GetInt32();
            for (int pixel = 0; pixel < size * size; pixel++)
            {
                for (int channel = 0; channel < 3; channel++)
                {
                    int difference = Math.Abs((int)levels[(channel * size * size) + pixel] - expected[offset + (pixel * 3) + channel]);
                    greatest = Math.Max(greatest, difference);
                    equal += difference == 0 ? 1 : 0;
                    values++;
                }
            }

            cases++;
        }

        output.WriteLine($"{cases} cases: {equal} of {values} values are equal, the greatest difference is {greatest}");
        Assert.Equal(170, cases);
        Assert.Equal(expected.Length, values);
        Assert.InRange(greatest, 0, 1);
    }

    private static string Config(string pipeline, int resize, int size) => pipeline switch
    {
        "clip" => $$"""{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": {{resize}}}, "crop_size": {"height": {{size}}, "width": {{size}}}, "resample": 3, "do_rescale": false, "do_normalize": false}""",
        "siglip" => $$"""{"image_processor_type": "SiglipImageProcessor", "size": {"height": {{size}}, "width": {{size}}}, "resample": 3, "do_rescale": false, "do_normalize": false}""",
        "pad" => $$"""{"image_processor_type": "LlavaImageProcessor", "do_pad": true, "size": {"shortest_edge": {{resize}}}, "crop_size": {"height": {{size}}, "width": {{size}}}, "resample": 3, "do_rescale": false, "do_normalize": false}""",
        _ => throw new InvalidOperationException($"unknown pipeline '{pipeline}'"),
    };

    private static DecodedImage LoadPicture(string name) => ImageDecoder.Load(Path.Combine(Reference, "images", name));

    private static JsonDocument ReadIndex() => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Reference, "goldens", "resize", "index.json")));

    private static byte[] ReadPixels(JsonElement index)
    {
        using FileStream file = File.OpenRead(Path.Combine(Reference, "goldens", "resize", index.GetProperty("pixels").GetString()!));
        using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        using var pixels = new MemoryStream();
        unzipped.CopyTo(pixels);
        byte[] bytes = pixels.ToArray();
        Assert.Equal(index.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        return bytes;
    }
}
