using System.Globalization;
using System.Text.Json;
using Espalier.Planning;

namespace Espalier.Tests.Configs;

/// <summary>Reading config.json. The generator's tests compile this file too, against the generator's own build of the reader.</summary>
public sealed class ModelGeometryReaderTests
{
    private static readonly VisionGeometry ClipLarge = new(VisionFamily.Clip, 24, 23, 1024, 4096, 16, 336, 14, 1e-5f, Activation.QuickGelu, KeepsCls: false);
    private static readonly TextGeometry Llama7B = new(TextFamily.Llama, 32, 4096, 11008, 32, 32, 128, 32000, 1e-6f, 10000f, 2048, QueryKeyValueBias: false, TiedHead: false);

    private static ModelGeometry Accept(string json)
    {
        GeometryReading reading = ModelGeometryReader.Read(json);
        Assert.Null(reading.Problem);
        return reading.Geometry!;
    }

    private static string Replace(string part, string replacement)
    {
        Assert.Contains(part, ConfigCorpus.Small, StringComparison.Ordinal);
        return ConfigCorpus.Small.Replace(part, replacement, StringComparison.Ordinal);
    }

    [Fact]
    public void AConfigThatSaysOnlyItsFamilyIsTheDefaultLlava()
    {
        ModelGeometry geometry = Accept("""{"model_type": "llava"}""");
        Assert.Equal(new ModelGeometry("llava", ClipLarge, Llama7B, 32000, Activation.Gelu), geometry);
        Assert.Equal(576, geometry.VisualTokens);
        Assert.Equal(577, geometry.Vision.Tokens);
    }

    /// <summary>The sparse config of llava-1.5-7b-hf, as far as it concerns shapes.</summary>
    [Fact]
    public void Llava15()
    {
        ModelGeometry geometry = Accept("""
            {
              "architectures": ["LlavaForConditionalGeneration"], "ignore_index": -100, "image_token_index": 32000, "model_type": "llava", "pad_token_id": 32001,
              "projector_hidden_act": "gelu",
              "text_config": {"_name_or_path": "lmsys/vicuna-7b-v1.5", "architectures": ["LlamaForCausalLM"], "max_position_embeddings": 4096, "model_type": "llama", "rms_norm_eps": 1e-05, "torch_dtype": "float16", "vocab_size": 32064},
              "tie_word_embeddings": false, "torch_dtype": "float16",
              "vision_config": {"hidden_size": 1024, "image_size": 336, "intermediate_size": 4096, "model_type": "clip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14, "projection_dim": 768, "vocab_size": 32000},
              "vision_feature_layer": -2, "vision_feature_select_strategy": "default", "vocab_size": 32064
            }
            """);
        TextGeometry text = Llama7B with { Vocabulary = 32064, RmsNormEpsilon = 1e-5f, MaxPositions = 4096 };
        Assert.Equal(new ModelGeometry("llava", ClipLarge, text, 32000, Activation.Gelu), geometry);
    }

    [Fact]
    public void SiglipAndQwen2InTheNewSpelling()
    {
        ModelGeometry geometry = Accept("""
            {
              "model_type": "llava", "image_token_id": 151646, "vision_feature_layer": -1, "vision_feature_select_strategy": "full", "tie_word_embeddings": true,
              "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 26, "num_attention_heads": 16, "image_size": 384, "patch_size": 14, "vision_use_head": false},
              "text_config": {"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 152000,
                "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"}, "sliding_window": 32768, "use_sliding_window": false, "max_window_layers": 24, "layer_types": ["full_attention"]}
            }
            """);
        var vision = new VisionGeometry(VisionFamily.Siglip, 26, 26, 1152, 4304, 16, 384, 14, 1e-6f, Activation.GeluTanh, KeepsCls: false);
        var text = new TextGeometry(TextFamily.Qwen2, 24, 896, 4864, 14, 2, 64, 152000, 1e-6f, 1e6f, 32768, QueryKeyValueBias: true, TiedHead: true);
        Assert.Equal(new ModelGeometry("llava", vision, text, 151646, Activation.Gelu), geometry);
        Assert.Equal(729, geometry.VisualTokens);
        Assert.Equal(729, geometry.Vision.Tokens);
    }

    [Fact]
    public void ATowerWithoutFieldsHasTheDefaultsOfItsClassNotOfClipLarge()
    {
        ModelGeometry geometry = Accept("""{"model_type": "llava", "vision_config": {}, "text_config": {"model_type": "qwen2"}}""");
        Assert.Equal(new VisionGeometry(VisionFamily.Clip, 12, 11, 768, 3072, 12, 224, 32, 1e-5f, Activation.QuickGelu, false), geometry.Vision);
        Assert.Equal(new TextGeometry(TextFamily.Qwen2, 32, 4096, 22016, 32, 32, 128, 151936, 1e-6f, 10000f, 32768, true, false), geometry.Text);

        ModelGeometry siglip = Accept("""{"model_type": "llava", "vision_feature_select_strategy": "full", "vision_config": {"model_type": "siglip_vision_model"}}""");
        Assert.Equal(new VisionGeometry(VisionFamily.Siglip, 12, 11, 768, 3072, 12, 224, 16, 1e-6f, Activation.GeluTanh, false), siglip.Vision);
    }

    [Fact]
    public void KeyHeadsOfQwen2DefaultTo32ButANullMeansAllHeads()
    {
        const string Config = """{"model_type": "llava", "text_config": {"model_type": "qwen2", "hidden_size": 896, "num_attention_heads": 14KV}}""";
        Assert.Equal(14, Accept(Config.Replace("KV", ", \"num_key_value_heads\": null", StringComparison.Ordinal)).Text.KeyValueHeads);
        GeometryProblem? problem = ModelGeometryReader.Read(Config.Replace("KV", "", StringComparison.Ordinal)).Problem;
        Assert.Equal(GeometryRule.Inconsistent, problem!.Rule);
        Assert.Equal("text_config.num_key_value_heads", problem.Path);
        Assert.Null(problem.Value);
        Assert.Equal(8, Accept("""{"model_type": "llava", "text_config": {"model_type": "llama", "hidden_size": 512, "num_attention_heads": 8}}""").Text.KeyValueHeads);
    }

    [Theory]
    [InlineData("-1", 3)]
    [InlineData("-2", 2)]
    [InlineData("-4", 0)]
    [InlineData("0", 0)]
    [InlineData("3", 3)]
    [InlineData("1", 1)]
    public void TheFeatureLayerCountsHiddenStates(string layer, int run)
        => Assert.Equal(run, Accept(Replace("-2", layer)).Vision.FeatureLayers);

    [Fact]
    public void TheFullStrategyKeepsTheClsRow()
    {
        ModelGeometry geometry = Accept(Replace("\"default\"", "\"full\""));
        Assert.True(geometry.Vision.KeepsCls);
        Assert.Equal(37, geometry.VisualTokens);
    }

    [Theory]
    [InlineData("\"rope_theta\": 500000", 500000f)]
    [InlineData("\"rope_theta\": 5e5, \"rope_scaling\": null", 500000f)]
    [InlineData("\"rope_scaling\": {\"type\": \"default\"}", 10000f)]
    [InlineData("\"rope_theta\": 10000, \"rope_parameters\": {\"rope_theta\": 500000.0, \"rope_type\": \"default\"}", 500000f)]
    [InlineData("\"rope_parameters\": {\"rope_type\": \"default\", \"partial_rotary_factor\": 1.0}", 10000f)]
    public void BothSpellingsOfTheRotaryBase(string fields, float theta)
        => Assert.Equal(theta, Accept(Replace("\"rope_theta\": 10000.0", fields)).Text.RopeTheta);

    [Theory]
    [InlineData("\"tie_word_embeddings\": true, \"model_type\": \"llava\"", "\"model_type\": \"llava\"")]
    [InlineData("\"vocab_size\": 96, \"tie_word_embeddings\": true", "\"vocab_size\": 96")]
    public void AHeadIsTiedAtTopLevelOrInTheDecoder(string replacement, string part)
        => Assert.True(Accept(Replace(part, replacement)).Text.TiedHead);

    [Fact]
    public void AHeadWidthOfItsOwnNeedNotDivideTheWidth()
    {
        TextGeometry text = Accept(Replace("\"hidden_size\": 64", "\"hidden_size\": 66, \"head_dim\": 24")).Text;
        Assert.Equal(24, text.HeadDim);
        Assert.Equal(96, text.QueryWidth);
        Assert.Equal(48, text.KeyValueWidth);
    }

    [Fact]
    public void WindowsBehindTheLastLayerAreNoWindows()
        => Assert.Equal(TextFamily.Qwen2, Accept(Replace("\"llama\"", "\"qwen2\", \"use_sliding_window\": true, \"max_window_layers\": 2")).Text.Family);

    [Fact]
    public void AByteOrderMarkAndEscapesAreRead()
        => Assert.Equal(Accept(ConfigCorpus.Small), Accept("\uFEFF" + Replace("\"llava\"", "\"\\u006c\\u006Cava\"")));

    [Fact]
    public void ALargestModelDoesNotOverflow()
    {
        ModelGeometry geometry = Accept("""
            {"model_type": "llava", "image_token_index": 2147483647,
             "vision_config": {"hidden_size": 65536, "intermediate_size": 262144, "num_hidden_layers": 512, "num_attention_heads": 1024, "image_size": 8192, "patch_size": 32},
             "text_config": {"hidden_size": 65536, "intermediate_size": 262144, "num_hidden_layers": 512, "num_attention_heads": 1024, "vocab_size": 4194304, "max_position_embeddings": 2097152}}
            """);
        Assert.Equal(65536, geometry.Text.QueryWidth);
        Assert.Equal(65536, geometry.VisualTokens);
    }

    [Fact]
    public void RotaryTablesThatWouldTakeAllMemoryAreRefused()
    {
        GeometryProblem problem = ModelGeometryReader.Read("""
            {"model_type": "llava", "text_config": {"hidden_size": 4096, "num_attention_heads": 16, "max_position_embeddings": 2097152}}
            """).Problem!;
        Assert.Equal((GeometryRule.OutOfRange, "text_config.max_position_embeddings"), (problem.Rule, problem.Path));
    }

    [Theory]
    [MemberData(nameof(ConfigCorpus.Rejected), MemberType = typeof(ConfigCorpus))]
    public void EachBrokenRuleNamesItsField(string name, string json, GeometryRule rule, string path, string? value)
    {
        GeometryReading reading = ModelGeometryReader.Read(json);
        Assert.True(reading.Geometry is null, name);
        GeometryProblem problem = reading.Problem!;
        Assert.Equal((rule, path, value), (problem.Rule, problem.Path, problem.Value));
        Assert.EndsWith(problem.Line > 0 && path.Length == 0 ? ")" : ".", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem.Message);
        Assert.InRange(problem.Message.Length, 20, 400);
    }

    [Fact]
    public void AFindingPointsIntoTheFile()
    {
        GeometryProblem problem = ModelGeometryReader.Read("{\n  \"model_type\": \"llava\",\r\n  \"text_config\": {\n    \"num_hidden_layers\": -3}}").Problem!;
        Assert.Equal((4, 26), (problem.Line, problem.Column));
        Assert.Equal("text_config.num_hidden_layers is -3 (line 4, column 26). It must be a whole number from 1 to 512.", problem.Message);
    }

    [Fact]
    public void AFindingCannotBeFormattedByTheFile()
    {
        string hostile = "\u001b[31m\u202e" + new string('x', 10_000);
        GeometryProblem problem = ModelGeometryReader.Read(JsonSerializer.Serialize(new Dictionary<string, string> { ["model_type"] = hostile })).Problem!;
        Assert.DoesNotContain(problem.Message, c => c is < ' ' or > '~');
        Assert.InRange(problem.Message.Length, 20, 400);
    }

    [Fact]
    public void NumbersAreReadTheSameInEveryCulture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            // A German format by hand: the tests run without culture data.
            var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            german.NumberFormat.NumberDecimalSeparator = ",";
            german.NumberFormat.NumberGroupSeparator = ".";
            german.NumberFormat.NegativeSign = "\u2212";
            CultureInfo.CurrentCulture = german;
            ModelGeometry geometry = Accept(Replace("1e-05", "0.00001"));
            Assert.Equal(1e-5f, geometry.Text.RmsNormEpsilon);
            Assert.Equal(2, geometry.Vision.FeatureLayers);
            Assert.Equal("It must be a whole number from -513 to 512.", ModelGeometryReader.Read(Replace("-2", "-2000")).Problem!.Expected);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    /// <summary>The strictness of the reader against System.Text.Json's, on thousands of damaged configs: both take or both refuse.</summary>
    [Fact]
    public void DamagedTextIsJudgedAsSystemTextJsonJudgesIt()
    {
        var random = new Random(20251);
        const string Alphabet = "{}[]\",:\\/ \n\t0123456789+-.eEtrufalsn\u0001\u00e9";
        int refused = 0;
        for (int round = 0; round < 20_000; round++)
        {
            var text = ConfigCorpus.Small.ToCharArray().ToList();
            for (int edit = random.Next(1, 4); edit > 0; edit--)
            {
                int at = random.Next(text.Count);
                switch (random.Next(4))
                {
                    case 0:
                        text.RemoveAt(at);
                        break;
                    case 1:
                        text.Insert(at, Alphabet[random.Next(Alphabet.Length)]);
                        break;
                    case 2:
                        text[at] = Alphabet[random.Next(Alphabet.Length)];
                        break;
                    default:
                        text.RemoveRange(at, Math.Min(random.Next(40), text.Count - at));
                        break;
                }
            }

            string json = new(text.ToArray());
            GeometryProblem? problem = ModelGeometryReader.Read(json).Problem;
            if (problem is { Rule: GeometryRule.DuplicateField })
            {
                continue;
            }

            bool valid = IsJsonObject(json);
            refused += valid ? 0 : 1;
            Assert.True(valid == problem is not { Rule: GeometryRule.MalformedJson }, json);
        }

        Assert.InRange(refused, 5_000, 19_000);
    }

    private static bool IsJsonObject(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
