using System.Globalization;
using Espalier.Planning;

namespace Espalier;

/// <summary>The tensors that a geometry needs, by canonical name, with their shapes. Layers of the tower behind the feature layer are never run and not asked for.</summary>
internal static class RequiredTensors
{
    public static IEnumerable<(string Name, long[] Shape)> Of(ModelGeometry geometry)
        => Vision(geometry.Vision).Concat(Projector(geometry)).Concat(Decoder(geometry.Text));

    private static IEnumerable<(string Name, long[] Shape)> Vision(VisionGeometry vision)
    {
        const string Embeddings = "vision_tower.embeddings.";
        long hidden = vision.Hidden;
        yield return (Embeddings + "patch_embedding.weight", [hidden, 3, vision.PatchSize, vision.PatchSize]);
        yield return (Embeddings + "position_embedding.weight", [vision.Tokens, hidden]);
        if (vision.Family == VisionFamily.Clip)
        {
            yield return (Embeddings + "class_embedding", [hidden]);

            // The misspelling is CLIP's own.
            yield return ("vision_tower.pre_layrnorm.weight", [hidden]);
            yield return ("vision_tower.pre_layrnorm.bias", [hidden]);
        }
        else
        {
            yield return (Embeddings + "patch_embedding.bias", [hidden]);
        }

        for (int layer = 0; layer < vision.FeatureLayers; layer++)
        {
            string prefix = string.Create(CultureInfo.InvariantCulture, $"vision_tower.encoder.layers.{layer}.");
            foreach (string norm in (string[])["layer_norm1", "layer_norm2"])
            {
                yield return (prefix + norm + ".weight", [hidden]);
                yield return (prefix + norm + ".bias", [hidden]);
            }

            foreach (string projection in (string[])["q_proj", "k_proj", "v_proj", "out_proj"])
            {
                yield return (prefix + "self_attn." + projection + ".weight", [hidden, hidden]);
                yield return (prefix + "self_attn." + projection + ".bias", [hidden]);
            }

            yield return (prefix + "mlp.fc1.weight", [vision.Intermediate, hidden]);
            yield return (prefix + "mlp.fc1.bias", [vision.Intermediate]);
            yield return (prefix + "mlp.fc2.weight", [hidden, vision.Intermediate]);
            yield return (prefix + "mlp.fc2.bias", [hidden]);
        }
    }

    private static IEnumerable<(string Name, long[] Shape)> Projector(ModelGeometry geometry)
    {
        long hidden = geometry.Text.Hidden;
        yield return ("multi_modal_projector.linear_1.weight", [hidden, geometry.Vision.Hidden]);
        yield return ("multi_modal_projector.linear_1.bias", [hidden]);
        yield return ("multi_modal_projector.linear_2.weight", [hidden, hidden]);
        yield return ("multi_modal_projector.linear_2.bias", [hidden]);
    }

    private static IEnumerable<(string Name, long[] Shape)> Decoder(TextGeometry text)
    {
        long hidden = text.Hidden;
        yield return (CanonicalNames.Embeddings, [text.Vocabulary, hidden]);
        yield return ("language_model.norm.weight", [hidden]);
        for (int layer = 0; layer < text.Layers; layer++)
        {
            string prefix = string.Create(CultureInfo.InvariantCulture, $"language_model.layers.{layer}.");
            yield return (prefix + "input_layernorm.weight", [hidden]);
            yield return (prefix + "post_attention_layernorm.weight", [hidden]);
            foreach ((string projection, long width) in ((string, long)[])[("q_proj", text.QueryWidth), ("k_proj", text.KeyValueWidth), ("v_proj", text.KeyValueWidth)])
            {
                yield return (prefix + "self_attn." + projection + ".weight", [width, hidden]);
                if (text.QueryKeyValueBias)
                {
                    yield return (prefix + "self_attn." + projection + ".bias", [width]);
                }
            }

            yield return (prefix + "self_attn.o_proj.weight", [hidden, text.QueryWidth]);
            yield return (prefix + "mlp.gate_proj.weight", [text.Intermediate, hidden]);
            yield return (prefix + "mlp.up_proj.weight", [text.Intermediate, hidden]);
            yield return (prefix + "mlp.down_proj.weight", [hidden, text.Intermediate]);
        }
    }
}
