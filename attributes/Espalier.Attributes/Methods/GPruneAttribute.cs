using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>G-Prune (Jiang et al., "What Kind of Visual Tokens Do We Need? Training-free Visual Token Pruning for Multi-modal Large Language Models from the Perspective of Graph", AAAI 2025, arXiv 2501.02268):
/// behind the projector, the tokens stay in which most information gathers when it is propagated over the graph of similar tokens.</summary>
/// <remarks>Nodes are the projected tokens, edges join those whose cosine reaches <see cref="Threshold"/>, weights are a softmax over each row at <see cref="Temperature"/>, information starts as the L2 norm.
/// Kept tokens keep their order and their positions. Give <see cref="Keep"/> or <see cref="KeepRatio"/>, not both; without either, the ratio's default decides.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class GPruneAttribute : VisualPolicyAttribute
{
    /// <summary>Visual tokens that stay: at least 1, and fewer than there are behind the projector.</summary>
    public int Keep { get; set; }

    /// <summary>The share of the visual tokens that stays, above 0 and below 1, rounded down as in the authors' code. Their default is 0.5.</summary>
    public double KeepRatio { get; set; } = 0.5;

    /// <summary>The cosine below which two tokens are not joined, above 0 and below 1. The authors' code uses 0.5; their paper finds 0.7 best.</summary>
    public double Threshold { get; set; } = 0.5;

    /// <summary>What cosines are divided by before the softmax, 0.01 to 100. The authors' default is 0.03.</summary>
    public double Temperature { get; set; } = 0.03;

    /// <summary>Steps of propagation, 1 to 1000. The authors' default is 5.</summary>
    public int Iterations { get; set; } = 5;
}
