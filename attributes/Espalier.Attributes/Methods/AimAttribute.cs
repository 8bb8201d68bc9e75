using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>AIM (Zhong et al., "AIM: Adaptive Inference of Multi-Modal LLMs via Token Merging and Pruning", arXiv 2412.03248): similar visual tokens are merged before the decoder,
/// and inside of it they leave layer by layer, those last that most attention flows to, until none is left.</summary>
/// <remarks>
/// Before the decoder every second token is merged with the most similar one of the others, <see cref="Halvings"/> times. Behind each layer l from <see cref="L1"/> + 1 on,
/// int(n (L2 - l) / (L2 - L1)) of the n tokens that entered the decoder stay, none behind <see cref="L2"/>: those with the highest importance, five steps of PageRank over the layer's
/// attention. Positions are kept. Where the authors mask, rows leave here.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class AimAttribute : VisualPolicyAttribute
{
    /// <summary>How often the tokens are halved before the decoder, 0 to 20: 2 leaves 25 %, as in the authors' setting for videos, 3 leaves 12.5 %, as in that for images; 0 merges nothing.</summary>
    public int Halvings { get; set; } = 2;

    /// <summary>The order of the merged tokens.</summary>
    public AimOrder Order { get; set; } = AimOrder.Similarity;

    /// <summary>The last zero-based layer behind which all tokens stay, -1 to <see cref="L2"/> - 1; 13 in the authors' code, of 28 or 32 layers.</summary>
    public int L1 { get; set; } = 13;

    /// <summary>The zero-based layer behind which no token is left, at most the last but one; 21 in the authors' code.</summary>
    public int L2 { get; set; } = 21;
}
