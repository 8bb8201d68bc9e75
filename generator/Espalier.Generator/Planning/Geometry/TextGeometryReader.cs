using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>Reads <c>text_config</c> with the defaults of LlamaConfig or Qwen2Config.</summary>
internal static class TextGeometryReader
{
    private static readonly string[] RopeSections = ["rope_scaling", "rope_parameters"];

    public static TextGeometry Read(ConfigSection root, ConfigSection section)
    {
        bool qwen2 = IsQwen2(section);
        int layers = section.Integer("num_hidden_layers", 32, 1, GeometryLimits.Layers);
        int hidden = section.Integer("hidden_size", 4096, 1, GeometryLimits.Width);
        int heads = section.Integer("num_attention_heads", 32, 1, GeometryLimits.Heads);
        int keyValueHeads = ReadKeyValueHeads(section, heads, qwen2);
        int headDim = ReadHeadDim(section, hidden, heads);
        if (section.Word("hidden_act", "silu") is not ("silu" or "swish"))
        {
            section.Report(GeometryRule.Unsupported, "hidden_act", "The decoders that are run use silu.");
        }

        bool bias = section.Flag("attention_bias", false);
        if (bias && !qwen2)
        {
            // In LlamaConfig this flag also puts a bias on o_proj, which the layer graphs do not add.
            section.Report(GeometryRule.Unsupported, "attention_bias", "LLaMA decoders are run without biases: it must be false.");
        }

        if (section.Flag("mlp_bias", false))
        {
            section.Report(GeometryRule.Unsupported, "mlp_bias", "Feed-forward layers are run without biases: it must be false.");
        }

        CheckAttentionWindow(section, layers, qwen2);
        return new TextGeometry(
            qwen2 ? TextFamily.Qwen2 : TextFamily.Llama,
            layers,
            hidden,
            section.Integer("intermediate_size", qwen2 ? 22016 : 11008, 1, GeometryLimits.Intermediate),
            heads,
            keyValueHeads,
            headDim,
            section.Integer("vocab_size", qwen2 ? 151936 : 32000, 1, GeometryLimits.Vocabulary),
            section.Number("rms_norm_eps", 1e-6f, GeometryLimits.MinEpsilon, GeometryLimits.MaxEpsilon),
            ReadRopeTheta(section),
            ReadPositions(section, headDim, qwen2),
            qwen2,
            section.Flag("tie_word_embeddings", false) | root.Flag("tie_word_embeddings", false));
    }

    /// <summary>The rotary tables have a row a position, so a hostile count would take all memory.</summary>
    private static int ReadPositions(ConfigSection section, int headDim, bool qwen2)
    {
        const string Field = "max_position_embeddings";
        int positions = section.Integer(Field, qwen2 ? 32768 : 2048, 1, GeometryLimits.Positions);
        if ((long)positions * headDim > GeometryLimits.RotaryTables)
        {
            section.Report(GeometryRule.OutOfRange, Field, GeometryLimits.Sentence("With heads that are {0} wide the rotary tables would be larger than 1 GiB.", headDim));
        }

        return positions;
    }

    private static bool IsQwen2(ConfigSection section)
    {
        string family = section.Word("model_type", "llama");
        if (family is not ("llama" or "qwen2"))
        {
            section.Report(GeometryRule.UnknownFamily, "model_type", "Supported decoders: llama, qwen2.");
        }

        return family == "qwen2";
    }

    /// <summary>Absent means as many as query heads in LlamaConfig but 32 in Qwen2Config; a null means as many as query heads in both.</summary>
    private static int ReadKeyValueHeads(ConfigSection section, int heads, bool qwen2)
    {
        const string Field = "num_key_value_heads";
        int keyValueHeads = section.Integer(Field, qwen2 && !section.Has(Field) ? 32 : heads, 1, GeometryLimits.Heads);
        if (keyValueHeads > heads || heads % keyValueHeads != 0)
        {
            section.Report(GeometryRule.Inconsistent, Field, GeometryLimits.Sentence("It must divide num_attention_heads, which is {0}.", heads));
        }

        return keyValueHeads;
    }

    private static int ReadHeadDim(ConfigSection section, int hidden, int heads)
    {
        if (section.NonNull("head_dim") is null && hidden % heads != 0)
        {
            section.Report(GeometryRule.Inconsistent, "num_attention_heads", GeometryLimits.Sentence("Without head_dim it must divide hidden_size, which is {0}.", hidden));
        }

        int headDim = section.Integer("head_dim", hidden / heads, 1, GeometryLimits.HeadDim);
        string field = section.NonNull("head_dim") is null ? "hidden_size" : "head_dim";
        if (headDim is < 8 or > GeometryLimits.HeadDim || headDim % 8 != 0)
        {
            section.Report(GeometryRule.Unsupported, field, GeometryLimits.Sentence("A head is {0} wide, but ONNX Runtime's GroupQueryAttention needs a multiple of 8 up to 1024.", headDim));
        }

        if (heads * (long)headDim > GeometryLimits.Width)
        {
            section.Report(GeometryRule.OutOfRange, field, GeometryLimits.Sentence("All heads together must not be wider than {0}.", GeometryLimits.Width));
        }

        return headDim;
    }

    /// <summary>Full attention in every layer is the only one that is run.</summary>
    private static void CheckAttentionWindow(ConfigSection section, int layers, bool qwen2)
    {
        // Only Qwen2Config knows the window; transformers uses it from layer max_window_layers on, if the flag is set.
        bool windowed = qwen2
            && section.Flag("use_sliding_window", false)
            && (section.NonNull("sliding_window") is not null || !section.Has("sliding_window"))
            && section.Integer("max_window_layers", 28, 0, int.MaxValue) < layers;
        if (windowed)
        {
            section.Report(GeometryRule.Unsupported, "use_sliding_window", "Sliding-window attention is not run: it must be false.");
        }

        if (section.NonNull("layer_types") is { } types)
        {
            foreach (ConfigValue type in types.Items)
            {
                if (type.Kind != ConfigKind.String || type.Text != "full_attention")
                {
                    section.Report(GeometryRule.Unsupported, "layer_types", "Every layer must be \"full_attention\".");
                }
            }
        }
    }

    /// <summary>The base stands beside <c>rope_scaling</c> up to transformers 4 and inside <c>rope_parameters</c> since.</summary>
    private static float ReadRopeTheta(ConfigSection section)
    {
        float theta = section.Number("rope_theta", 10000f, 1, 1e12);
        foreach (string name in RopeSections)
        {
            ConfigSection rope = section.Section(name);
            theta = rope.Number("rope_theta", theta, 1, 1e12);
            string kind = rope.NonNull("rope_type") is null ? "type" : "rope_type";
            if (rope.Word(kind, "default") != "default")
            {
                rope.Report(GeometryRule.Unsupported, kind, "Scaled rotary embeddings are not run: it must be \"default\".");
            }

            if (rope.Number("partial_rotary_factor", 1, 0, 1) != 1)
            {
                rope.Report(GeometryRule.Unsupported, "partial_rotary_factor", "Whole heads are rotated: it must be 1.");
            }

            foreach (KeyValuePair<string, ConfigValue> parameter in rope.Fields)
            {
                if (parameter.Value.Kind is ConfigKind.Object or ConfigKind.Array)
                {
                    rope.Report(GeometryRule.Unsupported, parameter.Key, "All layers and axes share one rotary embedding.");
                }
            }
        }

        return theta;
    }
}
