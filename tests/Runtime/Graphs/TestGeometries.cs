using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>Small models of every shape that the graphs must handle.</summary>
internal static class TestGeometries
{
    /// <summary>LLaMA: as many key heads as query heads, no bias.</summary>
    public static TextGeometry Llama { get; } = new(TextFamily.Llama, Layers: 3, Hidden: 48, Intermediate: 80, Heads: 3, KeyValueHeads: 3, HeadDim: 16,
        Vocabulary: 37, RmsNormEpsilon: 1e-5f, RopeTheta: 10000f, MaxPositions: 64, QueryKeyValueBias: false, TiedHead: false);

    /// <summary>Qwen2: biases, two key heads for eight query heads, heads wider together than a token.</summary>
    public static TextGeometry Qwen2 { get; } = new(TextFamily.Qwen2, Layers: 2, Hidden: 40, Intermediate: 72, Heads: 8, KeyValueHeads: 2, HeadDim: 8,
        Vocabulary: 29, RmsNormEpsilon: 1e-6f, RopeTheta: 1000000f, MaxPositions: 64, QueryKeyValueBias: true, TiedHead: true);

    /// <summary>Qwen2 with one key head and an odd group.</summary>
    public static TextGeometry Grouped { get; } = new(TextFamily.Qwen2, Layers: 2, Hidden: 56, Intermediate: 64, Heads: 7, KeyValueHeads: 1, HeadDim: 8,
        Vocabulary: 31, RmsNormEpsilon: 1e-6f, RopeTheta: 10000f, MaxPositions: 64, QueryKeyValueBias: true, TiedHead: true);

    /// <summary>CLIP as LLaVA uses it: the last layer is not run and the CLS row is dropped. The image has a margin that holds no whole patch.</summary>
    public static VisionGeometry Clip { get; } = new(VisionFamily.Clip, Layers: 3, FeatureLayers: 2, Hidden: 24, Intermediate: 40, Heads: 3,
        ImageSize: 17, PatchSize: 4, LayerNormEpsilon: 1e-5f, Activation.QuickGelu, KeepsCls: false);

    /// <summary>SigLIP as LLaVA-OneVision uses it: all stored layers, no CLS row, a head width that is no multiple of 8.</summary>
    public static VisionGeometry Siglip { get; } = new(VisionFamily.Siglip, Layers: 2, FeatureLayers: 2, Hidden: 36, Intermediate: 28, Heads: 3,
        ImageSize: 15, PatchSize: 3, LayerNormEpsilon: 1e-6f, Activation.GeluTanh, KeepsCls: false);

    public static TheoryData<string> TextNames { get; } = [nameof(Llama), nameof(Qwen2), nameof(Grouped)];

    public static TextGeometry Text(string name) => name switch
    {
        nameof(Llama) => Llama,
        nameof(Qwen2) => Qwen2,
        _ => Grouped,
    };
}
