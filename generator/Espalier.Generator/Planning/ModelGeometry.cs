namespace Espalier.Planning;

/// <summary>The shapes of a vision-language model, as far as planning, compiling and checking need them.</summary>
/// <remarks>Read from a Hugging Face <c>config.json</c> by <c>ModelGeometryReader</c>, with the defaults of the model's class for every absent field.
/// Equal geometries compare equal, so an incremental generator can cache on them. Immutable, thread-safe.</remarks>
/// <param name="ModelType">The <c>model_type</c> of the config, for example <c>llava</c>.</param>
/// <param name="Vision">The vision tower.</param>
/// <param name="Text">The decoder.</param>
/// <param name="ImageTokenId">The token id that stands for one visual token in the prompt.</param>
/// <param name="ProjectorActivation">The activation between the two linear layers of the projector.</param>
public sealed record ModelGeometry(
    string ModelType,
    VisionGeometry Vision,
    TextGeometry Text,
    int ImageTokenId,
    Activation ProjectorActivation)
{
    /// <summary>Visual tokens that one image becomes, before any reduction.</summary>
    public int VisualTokens => Vision.FeatureTokens;
}

/// <summary>The families of vision tower.</summary>
public enum VisionFamily
{
    /// <summary>CLIP: a CLS token, a norm before the first layer, quick GELU.</summary>
    Clip,

    /// <summary>SigLIP: no CLS token, a biased patch convolution, tanh GELU.</summary>
    Siglip,
}

/// <summary>The families of decoder.</summary>
public enum TextFamily
{
    /// <summary>LLaMA: no projection biases. Its <c>attention_bias</c> would also put one on the output projection and is refused.</summary>
    Llama,

    /// <summary>Qwen2: biased query, key and value projections.</summary>
    Qwen2,
}

/// <summary>The activation functions of the supported families.</summary>
public enum Activation
{
    /// <summary>x · σ(1.702 x).</summary>
    QuickGelu,

    /// <summary>GELU by the error function.</summary>
    Gelu,

    /// <summary>GELU by the tanh approximation.</summary>
    GeluTanh,

    /// <summary>x · σ(x).</summary>
    Silu,
}

/// <summary>The shapes of a vision tower.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Family">CLIP or SigLIP.</param>
/// <param name="Layers">Layers that the config declares.</param>
/// <param name="FeatureLayers">Layers that are run: the features are the output of layer <c>FeatureLayers - 1</c>; 0 means the embeddings.</param>
/// <param name="Hidden">Width of a token.</param>
/// <param name="Intermediate">Width of the feed-forward layer.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="ImageSize">Side of the square input, in pixels.</param>
/// <param name="PatchSize">Side of a patch, in pixels.</param>
/// <param name="LayerNormEpsilon">Epsilon of the layer norms.</param>
/// <param name="Activation">Activation of the feed-forward layers.</param>
/// <param name="KeepsCls">True if the CLS row is part of the features (strategy <c>full</c> on a tower with CLS).</param>
public sealed record VisionGeometry(
    VisionFamily Family,
    int Layers,
    int FeatureLayers,
    int Hidden,
    int Intermediate,
    int Heads,
    int ImageSize,
    int PatchSize,
    float LayerNormEpsilon,
    Activation Activation,
    bool KeepsCls)
{
    /// <summary>True if the tower puts a CLS token before the patches.</summary>
    public bool HasCls => Family == VisionFamily.Clip;

    /// <summary>Patches along one side of the image. Pixels of a remainder, 6 of SigLIP's 384 / 14, are never read.</summary>
    public int GridSize => ImageSize / PatchSize;

    /// <summary>Patches of one image.</summary>
    public int Patches => GridSize * GridSize;

    /// <summary>Rows inside the tower: patches and, if there is one, the CLS token (row 0).</summary>
    public int Tokens => Patches + (HasCls ? 1 : 0);

    /// <summary>Rows that leave the tower as features.</summary>
    public int FeatureTokens => Patches + (HasCls && KeepsCls ? 1 : 0);

    /// <summary>Width of an attention head.</summary>
    public int HeadDim => Hidden / Heads;
}

/// <summary>The shapes of a decoder.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Family">LLaMA or Qwen2.</param>
/// <param name="Layers">Decoder layers.</param>
/// <param name="Hidden">Width of a token.</param>
/// <param name="Intermediate">Width of the feed-forward layer.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads; divides <paramref name="Heads"/>.</param>
/// <param name="HeadDim">Width of a head.</param>
/// <param name="Vocabulary">Rows of the embedding table and of the head.</param>
/// <param name="RmsNormEpsilon">Epsilon of the RMS norms.</param>
/// <param name="RopeTheta">Base of the rotary embedding.</param>
/// <param name="MaxPositions">Positions that the model was trained for.</param>
/// <param name="QueryKeyValueBias">True if the query, key and value projections have biases.</param>
/// <param name="TiedHead">True if the config says that the head is the embedding table. A checkpoint without <c>lm_head.weight</c> is tied whatever this says.</param>
public sealed record TextGeometry(
    TextFamily Family,
    int Layers,
    int Hidden,
    int Intermediate,
    int Heads,
    int KeyValueHeads,
    int HeadDim,
    int Vocabulary,
    float RmsNormEpsilon,
    float RopeTheta,
    int MaxPositions,
    bool QueryKeyValueBias,
    bool TiedHead)
{
    /// <summary>Width of all query heads together.</summary>
    public int QueryWidth => Heads * HeadDim;

    /// <summary>Width of all key heads together; the values are as wide.</summary>
    public int KeyValueWidth => KeyValueHeads * HeadDim;
}
