using System.Globalization;

namespace Espalier.Planning;

/// <summary>Reads <c>vision_config</c> with the defaults of CLIPVisionConfig or SiglipVisionConfig.</summary>
internal static class VisionGeometryReader
{
    /// <summary>Bound on the side of an image in pixels.</summary>
    private const int MaxImageSize = 8192;

    /// <summary>Bound on the rows of the tower: they attend to each other, so more would never fit.</summary>
    private const int MaxPatches = 1 << 16;

    public static VisionGeometry Read(ConfigSection root, ConfigSection section)
    {
        // A config without vision_config means CLIP-L/14-336; one with vision_config but without fields means CLIPVisionConfig's own defaults.
        bool large = !section.IsPresent;
        bool siglip = IsSiglip(section);
        int layers = section.Integer("num_hidden_layers", large ? 24 : 12, 1, GeometryLimits.Layers);
        int hidden = section.Integer("hidden_size", large ? 1024 : 768, 1, GeometryLimits.Width);
        int heads = section.Integer("num_attention_heads", large ? 16 : 12, 1, GeometryLimits.Heads);
        if (hidden % heads != 0)
        {
            section.Report(GeometryRule.Inconsistent, "num_attention_heads", GeometryLimits.Sentence("It must divide hidden_size, which is {0}.", hidden));
        }

        if (section.Integer("num_channels", 3, 1, GeometryLimits.Width) != 3)
        {
            section.Report(GeometryRule.Unsupported, "num_channels", "Images are RGB: it must be 3.");
        }

        int image = section.Integer("image_size", large ? 336 : 224, 1, MaxImageSize);
        int patch = section.Integer("patch_size", large ? 14 : siglip ? 16 : 32, 1, MaxImageSize);
        CheckPatches(section, image, patch);
        return new VisionGeometry(
            siglip ? VisionFamily.Siglip : VisionFamily.Clip,
            layers,
            ReadFeatureLayers(root, layers),
            hidden,
            section.Integer("intermediate_size", large ? 4096 : 3072, 1, GeometryLimits.Intermediate),
            heads,
            image,
            patch,
            section.Number("layer_norm_eps", siglip ? 1e-6f : 1e-5f, GeometryLimits.MinEpsilon, GeometryLimits.MaxEpsilon),
            ActivationNames.Read(section, "hidden_act", siglip ? "gelu_pytorch_tanh" : "quick_gelu"),
            ReadKeepsCls(root, siglip));
    }

    private static bool IsSiglip(ConfigSection section)
    {
        string family = section.Word("model_type", "clip_vision_model");
        if (family is not ("clip_vision_model" or "siglip_vision_model"))
        {
            section.Report(GeometryRule.UnknownFamily, "model_type", "Supported vision towers: clip_vision_model, siglip_vision_model.");
        }

        return family == "siglip_vision_model";
    }

    /// <summary>A patch need not divide the image: SigLIP's 384 / 14 leaves 6 pixels that the convolution never reads.</summary>
    private static void CheckPatches(ConfigSection section, int image, int patch)
    {
        if (patch > image)
        {
            section.Report(GeometryRule.Inconsistent, "patch_size", GeometryLimits.Sentence("It must not exceed image_size, which is {0}.", image));
        }
        else if (image / patch * (long)(image / patch) > MaxPatches)
        {
            section.Report(GeometryRule.OutOfRange, "image_size", string.Format(CultureInfo.InvariantCulture, "With patches of {0} pixels it makes more than {1} patches.", patch, MaxPatches));
        }
    }

    /// <summary>Counts the layers to run: of the layers + 1 hidden states of the tower, number 0 is the embeddings and number i the output of layer i - 1.</summary>
    private static int ReadFeatureLayers(ConfigSection root, int layers)
    {
        const string Field = "vision_feature_layer";
        if (root.NonNull(Field) is { Kind: ConfigKind.Array })
        {
            root.Report(GeometryRule.Unsupported, Field, "Features of several layers are not concatenated: give one layer as a number.");
            return layers;
        }

        int index = root.Integer(Field, -2, -GeometryLimits.Layers - 1, GeometryLimits.Layers);
        int count = index < 0 ? layers + 1 + index : index;
        if (count < 0 || count > layers)
        {
            root.Report(GeometryRule.OutOfRange, Field, string.Format(CultureInfo.InvariantCulture, "The tower has {0} layers, so it must lie in -{1} to {0}.", layers, layers + 1));
            return layers;
        }

        return count;
    }

    private static bool ReadKeepsCls(ConfigSection root, bool siglip)
    {
        const string Field = "vision_feature_select_strategy";
        string strategy = root.Word(Field, "default");
        if (strategy is not ("default" or "full"))
        {
            root.Report(GeometryRule.Unsupported, Field, "Supported: default (without row 0), full.");
        }

        if (siglip && strategy == "default")
        {
            // transformers drops row 0 whatever the tower is; without a CLS row that would be the first patch.
            root.Report(GeometryRule.Unsupported, Field, "A SigLIP tower has no CLS row, so the strategy must be \"full\"; \"default\", which is also meant where the field is absent, would drop the first patch.");
        }

        return !siglip && strategy == "full";
    }
}
