using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>DivPrune (Alvar et al., "DivPrune: Diversity-based Visual Token Pruning for Large Multimodal Models", CVPR 2025): behind the projector, a subset of tokens that are far from each other stays.</summary>
/// <remarks>Greedy max-min over the cosine distance of the projected tokens; the text has no influence. Kept tokens keep their order and get contiguous positions.
/// Give <see cref="Keep"/> or <see cref="Ratio"/>, not both; without either, the ratio's default decides.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class DivPruneAttribute : VisualPolicyAttribute
{
    /// <summary>Visual tokens that stay: at least 1, and fewer than there are behind the projector.</summary>
    public int Keep { get; set; }

    /// <summary>The share of the visual tokens that stays, above 0 and below 1, rounded to the nearest integer, halves to even. The authors' default is 0.098.</summary>
    public double Ratio { get; set; } = 0.098;
}
