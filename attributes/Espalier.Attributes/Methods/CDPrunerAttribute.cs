using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>CDPruner (Zhang et al., "Beyond Attention or Similarity: Maximizing Conditional Diversity for Token Pruning in MLLMs", NeurIPS 2025, arXiv 2506.10967): behind the projector a subset of the tokens stays
/// that is diverse and relevant to the question, found greedily in a determinantal point process.</summary>
/// <remarks>The paper's relevance comes from CLIP's text tower: it is read where it lies in or beside the checkpoint, see the page of the method. No LLaVA checkpoint holds it; its substitute is the cosine of each projected token with the mean embedding of the text behind the image: a named choice, without a claim of parity.
/// Kept tokens stay in the order of the image, at contiguous positions.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class CDPrunerAttribute : VisualPolicyAttribute
{
    /// <summary>Visual tokens that stay: at least 1, and fewer than there are behind the projector.</summary>
    public int Keep { get; set; }

    /// <summary>The share that stays, above 0 and below 1, rounded to the nearest integer, halves to even. Give this or <see cref="Keep"/>.</summary>
    public double KeepRatio { get; set; }
}
