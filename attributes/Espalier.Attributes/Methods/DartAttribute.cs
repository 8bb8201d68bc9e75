using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>DART (Wen et al., "Stop Looking for Important Tokens in Multimodal Language Models: Duplication Matters More", arXiv 2502.11494): before layer <see cref="K"/> a few pivots stay, and
/// of the other visual tokens those that are least like a pivot.</summary>
/// <remarks>
/// Pivots are the visual tokens and the text tokens behind the image whose keys in layer K - 1 have the largest L1 norm. For each in turn, int(n (1 - R) / (ImagePivots + TextPivots)) of the n
/// visual tokens are added, those with the lowest cosine to it among those not taken yet. No attention map is needed. Positions are kept. The sources give no defaults; these are ours.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class DartAttribute : VisualPolicyAttribute
{
    /// <summary>The zero-based layer before which visual tokens leave, at least 1.</summary>
    public int K { get; set; } = 2;

    /// <summary>The share of the visual tokens that the pivots bring no replacement for, above 0 and below 1; image pivots stay besides.</summary>
    public double R { get; set; } = 0.5;

    /// <summary>Visual tokens that are pivots, 1 to 1000.</summary>
    public int ImagePivots { get; set; } = 4;

    /// <summary>Text tokens behind the image that are pivots, 0 to 1000.</summary>
    public int TextPivots { get; set; } = 4;
}
