using Espalier.Planning;

namespace Espalier.Tests.Configs;

/// <summary>Configs that break one rule each, with the finding they must give. Compiled into the tests of the runtime and of the generator.</summary>
public static class ConfigCorpus
{
    /// <summary>A whole small model; cases replace one part of it.</summary>
    public const string Small = """
        {
          "model_type": "llava",
          "image_token_index": 7,
          "vision_feature_layer": -2,
          "vision_feature_select_strategy": "default",
          "projector_hidden_act": "gelu",
          "vision_config": {"model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "image_size": 48, "patch_size": 8},
          "text_config": {"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 96, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "max_position_embeddings": 256}
        }
        """;

    /// <summary>Name, config, rule, path, value.</summary>
    public static TheoryData<string, string, GeometryRule, string, string?> Rejected { get; } = Build();

    private static string With(string part, string replacement)
    {
        Assert.Contains(part, Small, StringComparison.Ordinal);
        return Small.Replace(part, replacement, StringComparison.Ordinal);
    }

    private static TheoryData<string, string, GeometryRule, string, string?> Build()
    {
        var cases = new TheoryData<string, string, GeometryRule, string, string?>();

        void Malformed(string name, string json) => cases.Add(name, json, GeometryRule.MalformedJson, "", null);
        Malformed("empty", "");
        Malformed("white space only", " \n\t ");
        Malformed("text behind the end", Small + " {}");
        Malformed("unclosed object", Small[..^1]);
        Malformed("trailing comma", """{"model_type": "llava",}""");
        Malformed("comment", "// llava\n" + Small);
        Malformed("single quotes", "{'model_type': 'llava'}");
        Malformed("NaN", With("1e-05", "NaN"));
        Malformed("Infinity", With("1e-05", "-Infinity"));
        Malformed("leading zero", With("48", "048"));
        Malformed("leading plus", With("48", "+48"));
        Malformed("hexadecimal", With("48", "0x30"));
        Malformed("bare exponent", With("1e-05", "1e"));
        Malformed("bare point", With("10000.0", "10000."));
        Malformed("unknown escape", """{"model_type": "\q"}""");
        Malformed("cut escape", "{\"model_type\": \"\\u12");
        Malformed("escape with sign", """{"model_type": "\u+123"}""");
        Malformed("line break in a string", "{\"model_type\": \"lla\nva\"}");
        Malformed("missing colon", """{"model_type" "llava"}""");
        Malformed("missing comma", """{"model_type": "llava" "a": 1}""");
        Malformed("name without quotes", "{model_type: 1}");
        Malformed("unknown literal", """{"model_type": True}""");
        Malformed("nesting of 65", string.Concat(Enumerable.Repeat("{\"a\":", 64)) + "[]" + new string('}', 64));
        Malformed("nesting without end", new string('[', 1_000_000));
        Malformed("two byte order marks", "\uFEFF\uFEFF" + Small);
        cases.Add("array as root", "[]", GeometryRule.MalformedJson, "", "an array");
        cases.Add("null as root", "null", GeometryRule.MalformedJson, "", "null");
        cases.Add("string as root", "\"llava\"", GeometryRule.MalformedJson, "", "\"llava\"");

        cases.Add("field twice", """{"model_type": "llava", "model_type": "llava"}""", GeometryRule.DuplicateField, "model_type", "given twice");
        cases.Add("field twice by escape", """{"text_config": {"a": 1, "\u0061": 1}}""", GeometryRule.DuplicateField, "text_config.a", "given twice");

        cases.Add("no family", "{}", GeometryRule.MissingField, "model_type", null);
        cases.Add("null family", """{"model_type": null}""", GeometryRule.MissingField, "model_type", "null");
        cases.Add("family is a number", """{"model_type": 1}""", GeometryRule.WrongType, "model_type", "1");
        cases.Add("unknown family", With("\"llava\"", "\"llava_onevision\""), GeometryRule.UnknownFamily, "model_type", "\"llava_onevision\"");
        cases.Add("text-only model", """{"model_type": "llama"}""", GeometryRule.UnknownFamily, "model_type", "\"llama\"");
        cases.Add("unknown tower", With("clip_vision_model", "pixtral"), GeometryRule.UnknownFamily, "vision_config.model_type", "\"pixtral\"");
        cases.Add("unknown decoder", With("\"llama\"", "\"mistral\""), GeometryRule.UnknownFamily, "text_config.model_type", "\"mistral\"");

        void Vision(string name, string part, string replacement, GeometryRule rule, string field, string? value)
            => cases.Add(name, With(part, replacement), rule, "vision_config." + field, value);
        void Text(string name, string part, string replacement, GeometryRule rule, string field, string? value)
            => cases.Add(name, With(part, replacement), rule, "text_config." + field, value);

        cases.Add("tower is a list", """{"model_type": "llava", "vision_config": []}""", GeometryRule.WrongType, "vision_config", "an array");
        cases.Add("decoder is a string", """{"model_type": "llava", "text_config": "llama"}""", GeometryRule.WrongType, "text_config", "\"llama\"");
        Vision("width in quotes", "\"hidden_size\": 32", "\"hidden_size\": \"32\"", GeometryRule.WrongType, "hidden_size", "\"32\"");
        Vision("fraction of a layer", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 3.0", GeometryRule.WrongType, "num_hidden_layers", "3.0");
        Vision("layers as exponent", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 3e0", GeometryRule.WrongType, "num_hidden_layers", "3e0");
        Vision("no layers", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 0", GeometryRule.OutOfRange, "num_hidden_layers", "0");
        Vision("negative heads", "\"num_attention_heads\": 4, \"image", "\"num_attention_heads\": -4, \"image", GeometryRule.OutOfRange, "num_attention_heads", "-4");
        Vision("vision heads do not divide", "\"num_attention_heads\": 4, \"image", "\"num_attention_heads\": 5, \"image", GeometryRule.Inconsistent, "num_attention_heads", "5");
        Vision("patch larger than image", "\"patch_size\": 8", "\"patch_size\": 49", GeometryRule.Inconsistent, "patch_size", "49");
        Vision("patch of zero", "\"patch_size\": 8", "\"patch_size\": 0", GeometryRule.OutOfRange, "patch_size", "0");
        Vision("too many patches", "\"image_size\": 48, \"patch_size\": 8", "\"image_size\": 8192, \"patch_size\": 1", GeometryRule.OutOfRange, "image_size", "8192");
        Vision("huge image", "\"image_size\": 48", "\"image_size\": 99999999999999999999999", GeometryRule.OutOfRange, "image_size", "99999999999999999999999");
        Vision("grey images", "\"patch_size\": 8", "\"patch_size\": 8, \"num_channels\": 1", GeometryRule.Unsupported, "num_channels", "1");
        Vision("unknown activation", "\"patch_size\": 8", "\"patch_size\": 8, \"hidden_act\": \"relu\"", GeometryRule.Unsupported, "hidden_act", "\"relu\"");
        Vision("epsilon of zero", "\"patch_size\": 8", "\"patch_size\": 8, \"layer_norm_eps\": 0", GeometryRule.OutOfRange, "layer_norm_eps", "0");
        cases.Add("SigLIP drops row 0", With("clip_vision_model", "siglip_vision_model"), GeometryRule.Unsupported, "vision_feature_select_strategy", "\"default\"");
        cases.Add("several feature layers", With("-2", "[-2, -5]"), GeometryRule.Unsupported, "vision_feature_layer", "an array");
        cases.Add("feature layer too high", With("-2", "4"), GeometryRule.OutOfRange, "vision_feature_layer", "4");
        cases.Add("feature layer too low", With("-2", "-5"), GeometryRule.OutOfRange, "vision_feature_layer", "-5");
        cases.Add("unknown strategy", With("\"default\"", "\"cls\""), GeometryRule.Unsupported, "vision_feature_select_strategy", "\"cls\"");
        cases.Add("unknown projector activation", With("\"gelu\"", "\"relu\""), GeometryRule.Unsupported, "projector_hidden_act", "\"relu\"");
        cases.Add("projector without biases", With("\"gelu\"", "\"gelu\", \"multimodal_projector_bias\": false"), GeometryRule.Unsupported, "multimodal_projector_bias", "false");
        cases.Add("projector flag as a number", With("\"gelu\"", "\"gelu\", \"multimodal_projector_bias\": 1"), GeometryRule.WrongType, "multimodal_projector_bias", "1");
        cases.Add("quantised", With("\"gelu\"", "\"gelu\", \"quantization_config\": {}"), GeometryRule.Unsupported, "quantization_config", "an object");
        cases.Add("negative image token", With("\"image_token_index\": 7", "\"image_token_index\": -200"), GeometryRule.OutOfRange, "image_token_index", "-200");
        cases.Add("two image tokens", With("\"image_token_index\": 7", "\"image_token_index\": 7, \"image_token_id\": 8"), GeometryRule.Inconsistent, "image_token_id", "8");

        Text("too many layers", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 513", GeometryRule.OutOfRange, "num_hidden_layers", "513");
        Text("too wide", "\"hidden_size\": 64", "\"hidden_size\": 65537", GeometryRule.OutOfRange, "hidden_size", "65537");
        Text("text heads do not divide", "\"num_attention_heads\": 4, \"num", "\"num_attention_heads\": 6, \"num", GeometryRule.Inconsistent, "num_attention_heads", "6");
        Text("key heads do not divide", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", GeometryRule.Inconsistent, "num_key_value_heads", "3");
        Text("more key heads than heads", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 8", GeometryRule.Inconsistent, "num_key_value_heads", "8");
        Text("odd head", "\"vocab_size\": 96", "\"vocab_size\": 96, \"head_dim\": 12", GeometryRule.Unsupported, "head_dim", "12");
        Text("odd head by width", "\"hidden_size\": 64", "\"hidden_size\": 48", GeometryRule.Unsupported, "hidden_size", "48");
        Text("heads wider than allowed", "\"num_attention_heads\": 4, \"num_key_value_heads\": 2", "\"num_attention_heads\": 1024, \"head_dim\": 1024, \"num_key_value_heads\": 2", GeometryRule.OutOfRange, "head_dim", "1024");
        Text("text activation", "\"vocab_size\": 96", "\"vocab_size\": 96, \"hidden_act\": \"gelu\"", GeometryRule.Unsupported, "hidden_act", "\"gelu\"");
        Text("feed-forward biases", "\"vocab_size\": 96", "\"vocab_size\": 96, \"mlp_bias\": true", GeometryRule.Unsupported, "mlp_bias", "true");
        Text("LLaMA with attention biases", "\"vocab_size\": 96", "\"vocab_size\": 96, \"attention_bias\": true", GeometryRule.Unsupported, "attention_bias", "true");
        Text("scaled rotary embedding", "\"vocab_size\": 96", "\"vocab_size\": 96, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2.0}", GeometryRule.Unsupported, "rope_scaling.type", "\"linear\"");
        Text("scaled rotary embedding, new", "\"vocab_size\": 96", "\"vocab_size\": 96, \"rope_parameters\": {\"rope_type\": \"llama3\"}", GeometryRule.Unsupported, "rope_parameters.rope_type", "\"llama3\"");
        Text("rotary embedding by layer", "\"vocab_size\": 96", "\"vocab_size\": 96, \"rope_parameters\": {\"full_attention\": {}}", GeometryRule.Unsupported, "rope_parameters.full_attention", "an object");
        Text("partial rotary embedding", "\"vocab_size\": 96", "\"vocab_size\": 96, \"rope_parameters\": {\"partial_rotary_factor\": 0.5}", GeometryRule.Unsupported, "rope_parameters.partial_rotary_factor", "0.5");
        Text("negative rotary base", "\"rope_theta\": 10000.0", "\"rope_theta\": -1", GeometryRule.OutOfRange, "rope_theta", "-1");
        Text("infinite rotary base", "\"rope_theta\": 10000.0", "\"rope_theta\": 1e999", GeometryRule.OutOfRange, "rope_theta", "1e999");
        Text("rotary base is text", "\"rope_theta\": 10000.0", "\"rope_theta\": \"1e4\"", GeometryRule.WrongType, "rope_theta", "\"1e4\"");
        Text("sliding window", "\"model_type\": \"llama\"", "\"model_type\": \"qwen2\", \"use_sliding_window\": true, \"max_window_layers\": 1", GeometryRule.Unsupported, "use_sliding_window", "true");
        Text("sliding layers", "\"vocab_size\": 96", "\"vocab_size\": 96, \"layer_types\": [\"full_attention\", \"sliding_attention\"]", GeometryRule.Unsupported, "layer_types", "an array");
        Text("no key heads", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 0", GeometryRule.OutOfRange, "num_key_value_heads", "0");
        Text("empty vocabulary", "\"vocab_size\": 96", "\"vocab_size\": 0", GeometryRule.OutOfRange, "vocab_size", "0");
        Text("tied head is text", "\"vocab_size\": 96", "\"vocab_size\": 96, \"tie_word_embeddings\": \"yes\"", GeometryRule.WrongType, "tie_word_embeddings", "\"yes\"");
        return cases;
    }
}
