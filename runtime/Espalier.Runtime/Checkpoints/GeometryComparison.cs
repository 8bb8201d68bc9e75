using System.Globalization;
using Espalier.Planning;

namespace Espalier;

/// <summary>Names the fields by which two geometries differ, as they are spelled in config.json.</summary>
internal static class GeometryComparison
{
    /// <summary>Whether the head is tied is left out: the tensors of the checkpoint decide that, not the config.</summary>
    public static List<string> Differences(ModelGeometry compiled, ModelGeometry found)
    {
        var differences = new List<string>();

        void Compare(string field, IFormattable left, IFormattable right)
        {
            if (!left.Equals(right))
            {
                differences.Add(string.Create(CultureInfo.InvariantCulture, $"{field}: compiled {left}, checkpoint {right}"));
            }
        }

        if (compiled.ModelType != found.ModelType)
        {
            differences.Add("model_type: compiled " + compiled.ModelType + ", checkpoint " + found.ModelType);
        }

        Compare("image_token_index", compiled.ImageTokenId, found.ImageTokenId);
        Compare("projector_hidden_act", compiled.ProjectorActivation, found.ProjectorActivation);

        VisionGeometry vision = compiled.Vision;
        VisionGeometry foundVision = found.Vision;
        Compare("vision_config.model_type", vision.Family, foundVision.Family);
        Compare("vision_config.num_hidden_layers", vision.Layers, foundVision.Layers);
        Compare("vision_feature_layer (layers to run)", vision.FeatureLayers, foundVision.FeatureLayers);
        Compare("vision_config.hidden_size", vision.Hidden, foundVision.Hidden);
        Compare("vision_config.intermediate_size", vision.Intermediate, foundVision.Intermediate);
        Compare("vision_config.num_attention_heads", vision.Heads, foundVision.Heads);
        Compare("vision_config.image_size", vision.ImageSize, foundVision.ImageSize);
        Compare("vision_config.patch_size", vision.PatchSize, foundVision.PatchSize);
        Compare("vision_config.layer_norm_eps", vision.LayerNormEpsilon, foundVision.LayerNormEpsilon);
        Compare("vision_config.hidden_act", vision.Activation, foundVision.Activation);
        if (vision.KeepsCls != foundVision.KeepsCls)
        {
            differences.Add("vision_feature_select_strategy: one keeps the CLS row, the other does not");
        }

        TextGeometry text = compiled.Text;
        TextGeometry foundText = found.Text;
        Compare("text_config.model_type", text.Family, foundText.Family);
        Compare("text_config.num_hidden_layers", text.Layers, foundText.Layers);
        Compare("text_config.hidden_size", text.Hidden, foundText.Hidden);
        Compare("text_config.intermediate_size", text.Intermediate, foundText.Intermediate);
        Compare("text_config.num_attention_heads", text.Heads, foundText.Heads);
        Compare("text_config.num_key_value_heads", text.KeyValueHeads, foundText.KeyValueHeads);
        Compare("text_config.head_dim", text.HeadDim, foundText.HeadDim);
        Compare("text_config.vocab_size", text.Vocabulary, foundText.Vocabulary);
        Compare("text_config.rms_norm_eps", text.RmsNormEpsilon, foundText.RmsNormEpsilon);
        Compare("text_config.rope_theta", text.RopeTheta, foundText.RopeTheta);
        Compare("text_config.max_position_embeddings", text.MaxPositions, foundText.MaxPositions);
        if (text.QueryKeyValueBias != foundText.QueryKeyValueBias)
        {
            differences.Add("text_config.attention_bias: one has biases on queries, keys and values, the other does not");
        }

        return differences;
    }
}
