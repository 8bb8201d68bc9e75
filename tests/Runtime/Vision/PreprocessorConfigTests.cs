using System.Text;
using Espalier.Vision;

namespace Espalier.Tests.Vision;

public sealed class PreprocessorConfigTests
{
    [Theory]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor"}""", 224, 224)]
    [InlineData("""{"image_processor_type": "CLIPImageProcessorFast", "size": {"shortest_edge": 40}}""", 224, 224)]
    [InlineData("""{"feature_extractor_type": "CLIPFeatureExtractor", "size": 336, "crop_size": 336}""", 336, 336)]
    [InlineData("""{"image_processor_type": "LlavaImageProcessor", "crop_size": {"height": 48, "width": 64}}""", 64, 48)]
    [InlineData("""{"image_processor_type": "LlavaImageProcessor", "do_pad": true, "do_center_crop": false, "size": 99}""", 99, 99)]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "do_center_crop": null, "size": {"height": 7, "width": 9}}""", 9, 7)]
    [InlineData("""{"image_processor_type": "SiglipImageProcessor"}""", 224, 224)]
    [InlineData("""{"image_processor_type": "SiglipImageProcessor", "size": 384, "do_center_crop": null, "do_pad": null}""", 384, 384)]
    [InlineData("""{"image_processor_type": "LlavaOnevisionImageProcessor", "do_pad": true, "size": null}""", 384, 384)]
    public void KnowsTheOutputSize(string json, int width, int height)
    {
        ImagePreprocessor preprocessor = Parse(json);
        Assert.Equal((width, height, width * height * 3), (preprocessor.OutputWidth, preprocessor.OutputHeight, preprocessor.OutputLength));
    }

    [Theory]
    [InlineData("CLIPImageProcessor", 0.48145466f, 0.26862954f)]
    [InlineData("LlavaImageProcessor", 0.48145466f, 0.26862954f)]
    [InlineData("LlavaOnevisionImageProcessor", 0.48145466f, 0.26862954f)]
    [InlineData("SiglipImageProcessor", 0.5f, 0.5f)]
    public void AbsentFieldsHaveTheDefaultsOfTheClass(string type, float mean, float deviation)
    {
        ImagePreprocessor preprocessor = Parse($$"""{"image_processor_type": "{{type}}"}""");
        var output = new float[preprocessor.OutputLength];
        preprocessor.Process(new RgbImage(new byte[] { 51, 51, 51 }, 1, 1), output);
        Assert.Equal(((float)(51 * (1 / 255.0)) - mean) / deviation, output[0]);
    }

    [Theory]
    [InlineData("null", 51f)] // an explicit null is false, as in Python
    [InlineData("false", 51f)]
    [InlineData("true", 0.2f)]
    public void AFlagMayBeNull(string flag, float expected)
    {
        ImagePreprocessor preprocessor = Parse($$"""{"image_processor_type": "SiglipImageProcessor", "size": 1, "do_normalize": false, "do_rescale": {{flag}}}""");
        var output = new float[3];
        preprocessor.Process(new RgbImage(new byte[] { 51, 51, 51 }, 1, 1), output);
        Assert.Equal(expected, output[0]);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("{", null)]
    [InlineData("[]", null)]
    [InlineData("null", null)]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\"} trailing", null)]
    [InlineData("{\"image_processor_type\": \"\\ud800\"}", null)]
    [InlineData("{}", "image_processor_type")]
    [InlineData("{\"image_processor_type\": 3}", "image_processor_type")]
    [InlineData("{\"image_processor_type\": \"Qwen2VLImageProcessor\"}", "image_processor_type")]
    [InlineData("{\"feature_extractor_type\": \"ViTFeatureExtractor\"}", "feature_extractor_type")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"do_resize\": \"yes\"}", "do_resize")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"do_resize\": 1}", "do_resize")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"do_resize\": false, \"do_center_crop\": false}", "do_resize")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"do_center_crop\": false}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": 0}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": -5}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": 4097}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": 99999999999999999999}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": 224.5}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": \"224\"}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": [224, 224]}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": {}}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": {\"shortest_edge\": 2, \"height\": 2, \"width\": 2}}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": {\"shortest_edge\": 2, \"longest_edge\": 9}}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": {\"shortest_edge\": 0}}", "size.shortest_edge")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": {\"height\": 5}}", "size")]
    [InlineData("{\"image_processor_type\": \"SiglipImageProcessor\", \"size\": {\"shortest_edge\": 384}}", "size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"crop_size\": {\"shortest_edge\": 5}}", "crop_size")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"crop_size\": {\"height\": 5, \"width\": null}}", "crop_size.width")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"resample\": 0}", "resample")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"resample\": 4}", "resample")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"resample\": \"bicubic\"}", "resample")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"image_mean\": [0.5, 0.5]}", "image_mean")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"image_mean\": [0.5, 0.5, \"x\"]}", "image_mean[2]")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"image_std\": [1, 0, 1]}", "image_std")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"image_std\": 1e-60}", "image_std")] // 0 in single precision
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"image_std\": [1, 1, 1e99]}", "image_std[2]")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"rescale_factor\": \"1/255\"}", "rescale_factor")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"rescale_factor\": 1e999}", "rescale_factor")]
    [InlineData("{\"image_processor_type\": \"CLIPImageProcessor\", \"do_pad\": true}", "do_pad")]
    [InlineData("{\"image_processor_type\": \"SiglipImageProcessor\", \"do_center_crop\": true}", "do_center_crop")]
    [InlineData("{\"image_processor_type\": \"LlavaImageProcessor\", \"do_pad\": true, \"image_mean\": [2, 0, 0]}", "image_mean")]
    public void RejectsABadConfigAndNamesTheField(string json, string? field)
    {
        var error = Assert.Throws<PreprocessorException>(() => Parse(json));
        Assert.Equal(field, error.Field);
        Assert.StartsWith("test.json: ", error.Message, StringComparison.Ordinal);
        if (field is not null)
        {
            Assert.Contains($"'{field}'", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void RejectsTextThatIsNotUnicode()
    {
        byte[] json = [.. "{\"image_processor_type\": \""u8, 0xFF, 0xC0, .. "\"}"u8];
        Assert.Throws<PreprocessorException>(() => ImagePreprocessor.Parse(json));
    }

    [Fact]
    public void RejectsDeepNesting()
        => Assert.Throws<PreprocessorException>(() => Parse(new string('[', 100_000)));

    [Fact]
    public void NeverFailsOtherwiseOnDamagedText()
    {
        byte[] good = Encoding.UTF8.GetBytes(
            """{"image_processor_type": "LlavaImageProcessor", "size": {"shortest_edge": 8}, "crop_size": {"height": 8, "width": 8}, "resample": 3, "image_mean": [0.1, 0.2, 0.3], "image_std": [0.1, 0.2, 0.3], "do_pad": true, "rescale_factor": 0.5}""");
        var random = new Random(7);
        int rejected = 0;
        for (int round = 0; round < 2_000; round++)
        {
            byte[] bytes = good[..random.Next(1, good.Length + 1)];
            for (int edits = random.Next(1, 4); edits > 0; edits--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                ImagePreprocessor preprocessor = ImagePreprocessor.Parse(bytes);
                preprocessor.Process(new RgbImage(new byte[12], 2, 2), new float[preprocessor.OutputLength]);
            }
            catch (PreprocessorException)
            {
                rejected++;
            }
        }

        Assert.InRange(rejected, 1_000, 2_000);
    }

    [Fact]
    public void OpensAFile()
    {
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllText(path, """{"image_processor_type": "CLIPImageProcessor", "crop_size": 48}""");
            Assert.Equal(48, ImagePreprocessor.Open(path).OutputWidth);
            File.WriteAllText(path, new string(' ', (1 << 20) + 1));
            Assert.Contains(path, Assert.Throws<PreprocessorException>(() => ImagePreprocessor.Open(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void NamesAMissingFile()
    {
        string path = Path.Combine(Path.GetTempPath(), "no such folder", "preprocessor_config.json");
        var error = Assert.Throws<PreprocessorException>(() => ImagePreprocessor.Open(path));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    private static ImagePreprocessor Parse(string json) => ImagePreprocessor.Parse(Encoding.UTF8.GetBytes(json), "test.json");
}
