using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>PruMerge+ (Shang et al., arXiv 2403.15388): as <see cref="PruMergeAttribute"/>, and patches at even distances stay besides, about three for each outlier.</summary>
/// <remarks>How many tokens stay depends on the image: plans show "at most". The outliers come first, in the order of their scores, then the evenly spaced patches in that of the image.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class PruMergePlusAttribute : VisualPolicyAttribute
{
    /// <summary>Neighbours by their keys that each kept token takes in, 1 to 1000; of a smaller image all. The authors' default is 32.</summary>
    public int Neighbours { get; set; } = 32;
}
