using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>SparseVLM+ (version 2.0 of the authors' code of SparseVLM, arXiv 2410.04417): as <see cref="SparseVlmAttribute"/>, but the raters' attention is corrected for distance, of the heads
/// only those count that look at the image most, nothing is recycled, and tokens keep their positions.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class SparseVlmPlusAttribute : VisualPolicyAttribute
{
    /// <summary>The published table of counts, by the name that the authors give it: 192, 128, 96 or 64. They are made for 576 visual tokens and three layers; another model says <see cref="Keep"/>.</summary>
    public int Tokens { get; set; } = 192;

    /// <summary>Visual tokens that stay behind each of <see cref="Layers"/>, in place of a table.</summary>
    public int[]? Keep { get; set; }

    /// <summary>Zero-based layers behind which tokens leave, ascending; by default 2, 6 and 15.</summary>
    public int[]? Layers { get; set; }

    /// <summary>Heads whose attention counts, 1 to the heads of a layer; the authors' number is 14.</summary>
    public int Heads { get; set; } = 14;
}
