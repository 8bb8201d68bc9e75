using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>ShortV (Yuan et al., "ShortV: Efficient Multimodal Large Language Models by Freezing Visual Tokens in Ineffective Layers", arXiv 2504.00502):
/// visual tokens are frozen in the layers that contribute least.</summary>
/// <remarks>Lowers to <see cref="FreezeVisualAttribute"/>. The layers may be written in any order, since the paper publishes its lists by rank.
/// Find them for another model by measuring each layer's contribution.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class ShortVAttribute : VisualPolicyAttribute
{
    /// <summary>Freezes visual tokens in the listed layers.</summary>
    /// <param name="layers">Zero-based layers, at least one, in any order, each once.</param>
    public ShortVAttribute(params int[] layers)
    {
        Layers = layers;
    }

    /// <summary>The listed layers.</summary>
    public int[] Layers { get; }
}
