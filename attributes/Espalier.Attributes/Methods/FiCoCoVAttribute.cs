using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>FiCoCo-V (Han et al., "Filter, Correlate, Compress: Training-Free Token Reduction for MLLM Acceleration", arXiv 2411.17686): in each layer of the vision tower from <see cref="StartLayer"/> on,
/// the <see cref="R"/> most redundant visual tokens are merged into those that they are correlated to.</summary>
/// <remarks>
/// <para>Between attention and feed-forward layer, so that already the feed-forward layer of the same tower layer runs on fewer rows. The tokens that stay keep the order of the image and take contiguous positions in the decoder;
/// the CLS token is never touched. With L layers that reduce, N - L R of N tokens reach the decoder.</para>
/// <para>Paper and published code contradict each other in several points; the page of the method says what was chosen and why.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class FiCoCoVAttribute : VisualPolicyAttribute
{
    /// <summary>Tokens that leave in each layer; at least 1. The authors' default is 42, which leaves 114 of 576 in LLaVA-1.5.</summary>
    public int R { get; set; } = 42;

    /// <summary>First zero-based tower layer that reduces. -1, the default, is half of the tower's layers, as the paper's 12 of 24.</summary>
    public int StartLayer { get; set; } = -1;

    /// <summary>The paper's or the code's reading; the paper's unless said otherwise.</summary>
    public FiCoCoMode Mode { get; set; } = FiCoCoMode.Paper;

    /// <summary>What the likeness of a token to the others is; raw logits unless said otherwise, since the paper's formula ranks by the CLS token alone.</summary>
    public FiCoCoRedundancy Redundancy { get; set; } = FiCoCoRedundancy.RawLogits;

    /// <summary>The paper's λ, 0 to 1: the weight of likeness against the attention of the CLS token. If it is not written, 0.35 in paper mode and 0.65 in code mode.</summary>
    public double Lambda { get; set; } = double.NaN;

    /// <summary>The paper's ε, 0 to 1: the quantile that a correlation must reach for a token that stays to take a share. The paper's default is 0.998.</summary>
    public double Epsilon { get; set; } = 0.998;

    /// <summary>The paper's W: patches along a side of the windows of the local penalty; at least 1. The paper's default is 2.</summary>
    public int Window { get; set; } = 2;

    /// <summary>By how much the most redundant token of a window counts as more redundant; 1, no penalty, or more. The authors' default is 2.</summary>
    public double Coefficient { get; set; } = 2;
}
