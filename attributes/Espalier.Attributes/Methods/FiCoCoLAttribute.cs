using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>FiCoCo-L (Han et al., "Filter, Correlate, Compress: Training-Free Token Reduction for MLLM Acceleration", arXiv 2411.17686 v4): inside each decoder layer from
/// <see cref="StartLayer"/> on, between attention and feed-forward layer, the <see cref="R"/> most redundant visual tokens go into those that they are correlated to.</summary>
/// <remarks>
/// Redundancy weighs how alike a token is to the other visual tokens against how much it attends to the text. Correlation is the attention between two tokens, direct and by way of the text.
/// The rows are renumbered in each layer. The last layer is left out: only its last row is computed. With <c>[FiCoCoV]</c> beside it, this is FiCoCo-VL.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class FiCoCoLAttribute : VisualPolicyAttribute
{
    /// <summary>Visual tokens that leave in each layer, at least 1; 14 in the authors' code.</summary>
    public int R { get; set; } = 14;

    /// <summary>The first zero-based layer, up to the last but one; 5 in the authors' code, whose condition is <c>layer_idx &gt; 4</c>.</summary>
    public int StartLayer { get; set; } = 5;

    /// <summary>The last zero-based layer, at most the last but one; by default, -1, that one. With an exit beside it, a layer before the last that visual tokens reach.</summary>
    public int LastLayer { get; set; } = -1;

    /// <summary>The paper's β, 0 to 1: the weight of likeness against that of the text; the paper's default is 0.6.</summary>
    public double Beta { get; set; } = 0.6;

    /// <summary>The paper's γ, 0 to 1: the weight of direct correlation against that by way of the text; the paper's default is 0.6.</summary>
    public double Gamma { get; set; } = 0.6;

    /// <summary>The paper's ε, 0 to 1: the quantile of its correlations that a target of a token must reach; the paper's default is 0.998.</summary>
    public double Epsilon { get; set; } = 0.998;

    /// <summary>Whom to follow where paper and code differ.</summary>
    public FiCoCoMode Mode { get; set; } = FiCoCoMode.Paper;

    /// <summary>Which map of the attention is read, and what the likeness of a token to the others is; raw logits unless said otherwise, since a row of a softmax always adds up to one.</summary>
    /// <remarks>The softmax maps are those of all rows of the sequence, head by head and without the causal mask, mean over heads. They are read as they are, and what a target takes is its part of the sum of the correlations.</remarks>
    public FiCoCoRedundancy Redundancy { get; set; } = FiCoCoRedundancy.RawLogits;
}
