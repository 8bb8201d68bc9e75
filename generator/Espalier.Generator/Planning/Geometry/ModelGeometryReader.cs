using System;

namespace Espalier.Planning;

/// <summary>Reads the shapes of a vision-language model from its Hugging Face <c>config.json</c>.</summary>
/// <remarks>
/// Configs are sparse: what equals the default of its class is left out, so every absent field gets the default of transformers' class
/// (LlavaConfig, CLIPVisionConfig, SiglipVisionConfig, LlamaConfig, Qwen2Config). Every number is bounded such that the products of
/// <see cref="ModelGeometry"/> cannot overflow. Pure and thread-safe; compiler and runtime compile this same file.
/// </remarks>
public static class ModelGeometryReader
{
    /// <summary>The <c>model_type</c>s that are read, for messages.</summary>
    private const string Families = "llava";

    /// <summary>Reads a config. Never throws on any text; a broken rule is a <see cref="GeometryProblem"/> that names the field.</summary>
    /// <param name="json">The text of <c>config.json</c>.</param>
    public static GeometryReading Read(string json)
    {
        if (json is null)
        {
            throw new ArgumentNullException(nameof(json));
        }

        ConfigValue? document = ConfigParser.Parse(json, out GeometryProblem? malformed);
        if (document is null)
        {
            return new GeometryReading(null, malformed);
        }

        ConfigSection root = ConfigSection.Root(document);
        ModelGeometry geometry = ReadLlava(root);
        return root.Problem is null ? new GeometryReading(geometry, null) : new GeometryReading(null, root.Problem);
    }

    private static ModelGeometry ReadLlava(ConfigSection root)
    {
        string family = root.Word("model_type", string.Empty);
        if (root.NonNull("model_type") is null)
        {
            root.Report(GeometryRule.MissingField, "model_type", "It names the family of the model; supported: " + Families + ".");
        }
        else if (family != "llava")
        {
            root.Report(GeometryRule.UnknownFamily, "model_type", "Supported: " + Families + ".");
        }

        if (root.NonNull("quantization_config") is not null)
        {
            root.Report(GeometryRule.Unsupported, "quantization_config", "Quantised checkpoints are not read; use the one in float32, float16 or bfloat16.");
        }

        // A LLaVA projector maps exactly one layer of the tower to the decoder by two biased linear layers.
        if (!root.Flag("multimodal_projector_bias", true))
        {
            root.Report(GeometryRule.Unsupported, "multimodal_projector_bias", "The projector is run with biases only: leave the field out or set it to true.");
        }

        VisionGeometry vision = VisionGeometryReader.Read(root, root.Section("vision_config"));
        TextGeometry text = TextGeometryReader.Read(root, root.Section("text_config"));
        Activation projector = ActivationNames.Read(root, "projector_hidden_act", "gelu");
        return new ModelGeometry(family, vision, text, ReadImageToken(root), projector);
    }

    /// <summary>The id was spelled <c>image_token_index</c> up to transformers 4 and is <c>image_token_id</c> since.</summary>
    private static int ReadImageToken(ConfigSection root)
    {
        const int Default = 32000;
        int former = root.Integer("image_token_index", Default, 0, int.MaxValue);
        int current = root.Integer("image_token_id", former, 0, int.MaxValue);
        if (current != former && root.NonNull("image_token_index") is not null)
        {
            root.Report(GeometryRule.Inconsistent, "image_token_id", "image_token_index is the older spelling of the same number, and both are given with different values. Keep the right one.");
        }

        return current;
    }
}
