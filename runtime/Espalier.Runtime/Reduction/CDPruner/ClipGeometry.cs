using Espalier.Planning;

namespace Espalier;

/// <summary>The shapes of a CLIP model's text tower, and what joins it to the vision tower. Immutable, thread-safe.</summary>
/// <param name="Layers">Layers.</param>
/// <param name="Hidden">Width of a token.</param>
/// <param name="Intermediate">Width of the feed-forward layer.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="Vocabulary">Rows of the embedding table.</param>
/// <param name="Positions">The most tokens of a text; 77 in every published model.</param>
/// <param name="Projection">Width of the space in which texts and patches are compared.</param>
/// <param name="LayerNormEpsilon">Epsilon of the layer norms.</param>
/// <param name="Activation">Activation of the feed-forward layers.</param>
/// <param name="Vision">The vision tower whose patches are compared.</param>
/// <param name="PostNorm">Where the norm behind the vision tower is found.</param>
internal sealed record ClipGeometry(
    int Layers, int Hidden, int Intermediate, int Heads, int Vocabulary, int Positions, int Projection, float LayerNormEpsilon, Activation Activation, VisionGeometry Vision, string PostNorm)
{
    public const string TextProjection = "text_projection.weight";
    public const string VisualProjection = "visual_projection.weight";
    public const string TextPrefix = "text_model.";

    /// <summary>Width of an attention head.</summary>
    public int HeadDim => Hidden / Heads;

    /// <summary>Reads the <c>config.json</c> of a CLIP folder, with the defaults of CLIPConfig and CLIPTextConfig.</summary>
    /// <param name="path">The file.</param>
    /// <param name="vision">The checkpoint's own vision tower.</param>
    /// <param name="postNorm">See <see cref="PostNorm"/>.</param>
    /// <exception cref="CheckpointException">The file is missing or malformed.</exception>
    public static ClipGeometry Read(string path, VisionGeometry vision, string postNorm)
    {
        ConfigValue? document = ConfigParser.Parse(CheckpointFiles.ReadConfig(path), out GeometryProblem? malformed);
        if (document is null)
        {
            throw ConfigException.For(path, malformed!);
        }

        ConfigSection root = ConfigSection.Root(document);
        if (root.Word("model_type", "clip") != "clip")
        {
            root.Report(GeometryRule.UnknownFamily, "model_type", "The text tower is read of CLIP models: clip.");
        }

        ConfigSection text = root.Section("text_config");
        int hidden = text.Integer("hidden_size", 512, 1, GeometryLimits.Width);
        int heads = text.Integer("num_attention_heads", 8, 1, GeometryLimits.Heads);
        if (hidden % heads != 0)
        {
            text.Report(GeometryRule.Inconsistent, "num_attention_heads", GeometryLimits.Sentence("It must divide hidden_size, which is {0}.", hidden));
        }

        var geometry = new ClipGeometry(
            text.Integer("num_hidden_layers", 12, 1, GeometryLimits.Layers),
            hidden,
            text.Integer("intermediate_size", 2048, 1, GeometryLimits.Intermediate),
            heads,
            text.Integer("vocab_size", 49408, 3, GeometryLimits.Vocabulary),
            text.Integer("max_position_embeddings", 77, 3, 4096),
            root.Integer("projection_dim", 512, 1, GeometryLimits.Width),
            text.Number("layer_norm_eps", 1e-5f, GeometryLimits.MinEpsilon, GeometryLimits.MaxEpsilon),
            ActivationNames.Read(text, "hidden_act", "quick_gelu"),
            vision,
            postNorm);
        return root.Problem is { } problem ? throw ConfigException.For(path, problem) : geometry;
    }

    /// <summary>The tensors that the two graphs read, with their shapes.</summary>
    public IEnumerable<(string Name, long[] Shape)> Tensors()
    {
        yield return (TextPrefix + "embeddings.token_embedding.weight", [Vocabulary, Hidden]);
        yield return (TextPrefix + "embeddings.position_embedding.weight", [Positions, Hidden]);
        for (int layer = 0; layer < Layers; layer++)
        {
            string module = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{TextPrefix}encoder.layers.{layer}.");
            foreach ((string name, long inputs, long outputs) in ((string, long, long)[])[("self_attn.q_proj", Hidden, Hidden), ("self_attn.k_proj", Hidden, Hidden), ("self_attn.v_proj", Hidden, Hidden), ("self_attn.out_proj", Hidden, Hidden), ("mlp.fc1", Hidden, Intermediate), ("mlp.fc2", Intermediate, Hidden)])
            {
                yield return (module + name + ".weight", [outputs, inputs]);
                yield return (module + name + ".bias", [outputs]);
            }

            foreach (string norm in (string[])["layer_norm1", "layer_norm2"])
            {
                yield return (module + norm + ".weight", [Hidden]);
                yield return (module + norm + ".bias", [Hidden]);
            }
        }

        yield return (TextPrefix + "final_layer_norm.weight", [Hidden]);
        yield return (TextPrefix + "final_layer_norm.bias", [Hidden]);
        yield return (TextProjection, [Projection, Hidden]);
        yield return (VisualProjection, [Projection, Vision.Hidden]);
        yield return (PostNorm + ".weight", [Vision.Hidden]);
        yield return (PostNorm + ".bias", [Vision.Hidden]);
    }
}
