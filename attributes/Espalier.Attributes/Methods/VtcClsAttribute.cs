using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>VTC-CLS (Wang et al., "[CLS] Token Tells Everything Needed for Training-free Efficient MLLMs", arXiv 2412.05819): before the projector, the patches that the CLS token attends to most stay.</summary>
/// <remarks>
/// <para>The score is the softmax attention of the CLS token, averaged over heads and added up over the tower layers from <see cref="Layer"/> on, the last layer of the tower left out.
/// Kept tokens keep their order and get contiguous positions. The tower needs a CLS token.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class VtcClsAttribute : VisualPolicyAttribute
{
    /// <summary>Visual tokens that stay: at least 1, and fewer than the model has. It has no default.</summary>
    public int Keep { get; set; }

    /// <summary>The zero-based tower layer with which the sum begins. The authors' default, for a tower of 24 layers, is 16.</summary>
    public int Layer { get; set; } = 16;
}
