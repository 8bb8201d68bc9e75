using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Primitive: the visual tokens with the lowest scores leave the sequence after a decoder layer. The kept ones keep their order and their positions.</summary>
/// <remarks>Give exactly one of <see cref="Keep"/> and <see cref="KeepRatio"/>. The attribute may be repeated, at different boundaries; the counts fall from one to the next.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class PruneVisualAttribute : VisualPolicyAttribute
{
    /// <summary>The zero-based layer behind which the tokens leave. 0 to the last layer but one.</summary>
    public int AfterLayer { get; set; }

    /// <summary>Visual tokens that stay: at least 1, and fewer than there are at that boundary.</summary>
    public int Keep { get; set; }

    /// <summary>The share of the visual tokens present at that boundary that stays, above 0 and below 1. The count is rounded to the nearest integer, halves to even.</summary>
    public double KeepRatio { get; set; }

    /// <summary>What ranks the tokens; <see cref="TokenScore.LastQueryAttention"/> unless said otherwise.</summary>
    public TokenScore Score { get; set; } = TokenScore.LastQueryAttention;
}
