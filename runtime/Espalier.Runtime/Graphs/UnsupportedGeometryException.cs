using Espalier.Planning;

namespace Espalier;

/// <summary>A model's shapes are valid in themselves, but no kernel of the inference library can run them.</summary>
public sealed class UnsupportedGeometryException : EspalierException
{
    internal UnsupportedGeometryException(string message)
        : base(message)
    {
    }

    /// <summary>Checks what the grouped-query attention and rotary kernels require of a decoder.</summary>
    internal static void ThrowIfUnsupported(TextGeometry geometry)
    {
        if (geometry.KeyValueHeads <= 0 || geometry.Heads % geometry.KeyValueHeads != 0)
        {
            throw new UnsupportedGeometryException($"config.json: the decoder's num_key_value_heads ({geometry.KeyValueHeads}) must divide num_attention_heads ({geometry.Heads}).");
        }

        if (geometry.HeadDim <= 0 || geometry.HeadDim % 8 != 0)
        {
            throw new UnsupportedGeometryException($"config.json: the decoder's head_dim ({geometry.HeadDim}) must be a multiple of 8; the attention kernel of ONNX Runtime supports no other width.");
        }
    }

    /// <summary>Checks what the patch convolution and the attention kernel require of a vision tower.</summary>
    internal static void ThrowIfUnsupported(VisionGeometry geometry)
    {
        if (geometry.Heads <= 0 || geometry.Hidden % geometry.Heads != 0)
        {
            throw new UnsupportedGeometryException($"config.json: the vision tower's num_attention_heads ({geometry.Heads}) must divide hidden_size ({geometry.Hidden}).");
        }

        if (geometry.PatchSize <= 0 || geometry.ImageSize < geometry.PatchSize)
        {
            throw new UnsupportedGeometryException($"config.json: the vision tower's image_size ({geometry.ImageSize}) must hold at least one patch of patch_size ({geometry.PatchSize}).");
        }

        if (geometry.FeatureLayers < 0 || geometry.FeatureLayers > geometry.Layers)
        {
            throw new UnsupportedGeometryException($"config.json: vision_feature_layer asks for {geometry.FeatureLayers} layers of a vision tower that has {geometry.Layers}.");
        }
    }
}
