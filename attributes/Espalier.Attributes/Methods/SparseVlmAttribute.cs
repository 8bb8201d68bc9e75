using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>SparseVLM (Zhang et al., "SparseVLM: Visual Token Sparsification for Efficient Vision-Language Model Inference", ICML 2025, arXiv 2410.04417): behind some layers
/// the visual tokens stay that the raters attend to most, the tokens of the question that resemble the image; the best of the others are recycled.</summary>
/// <remarks>
/// Recycling averages the best of what leaves into clusters, which stand behind the kept tokens. The rows are renumbered. How many tokens stay is said once: by <see cref="Tokens"/>,
/// <see cref="Keep"/>, <see cref="Scale"/> or <see cref="Lambda"/>. With the last two the image and the question decide: plans show "at most".
/// The second version of the authors' code is <see cref="SparseVlmPlusAttribute"/>.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class SparseVlmAttribute : VisualPolicyAttribute
{
    /// <summary>The published table of counts, by the name that the authors give it: 192, 128, 96 or 64. They are made for 576 visual tokens and three layers; another model says <see cref="Keep"/>.</summary>
    public int Tokens { get; set; } = 192;

    /// <summary>Visual tokens that stay as they are behind each of <see cref="Layers"/>, in place of a table. What is recycled comes on top.</summary>
    public int[]? Keep { get; set; }

    /// <summary>Zero-based layers behind which tokens leave, ascending; by default 2, 6 and 15, and 19 besides if <see cref="Scale"/> is given, as in the authors' first release.</summary>
    public int[]? Layers { get; set; }

    /// <summary>The authors' first release: rank times this number, and <see cref="Bias"/>, stay, where the rank is that of the raters' attention to the visual tokens. Above 0.</summary>
    public double Scale { get; set; }

    /// <summary>The authors' first release: tokens that stay besides. Beside <see cref="Scale"/> only.</summary>
    public double Bias { get; set; }

    /// <summary>The paper's λ, above 0 and up to 1: of the tokens beyond the rank of the raters' attention, the share that leaves.</summary>
    public double Lambda { get; set; }

    /// <summary>The paper's τ, 0 to 1: the share of the tokens that leave which is recycled, rounded down and one more. 0 recycles nothing.</summary>
    public double Tau { get; set; } = 0.3;
}
