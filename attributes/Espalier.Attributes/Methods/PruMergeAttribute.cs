using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>PruMerge (Shang et al., "LLaVA-PruMerge: Adaptive Token Reduction for Efficient Large Multimodal Models", ICCV 2025, arXiv 2403.15388): at the output of the vision tower the patches stay
/// whose CLS attention is an outlier of this image; each takes in its nearest neighbours, and one token sums up the rest.</summary>
/// <remarks>How many tokens stay depends on the image: plans show "at most", about a quarter of the visual tokens, and buffers are sized so. Tokens come in the order of their scores, at contiguous positions.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class PruMergeAttribute : VisualPolicyAttribute
{
    /// <summary>Neighbours by their keys that each kept token takes in, 1 to 1000; of a smaller image all. The authors' default is 32.</summary>
    public int Neighbours { get; set; } = 32;
}
