using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>VisionZip (Yang et al., "VisionZip: Longer is Better but Not Necessary in Vision Language Models", arXiv 2412.04467): before the projector, the patches with the most CLS attention stay
/// together with the CLS token, and the others are averaged into a few evenly spaced ones.</summary>
/// <remarks>
/// <para>The decoder starts with <c>Dominant + Contextual</c> visual tokens at contiguous positions: CLS, the dominant patches in the order of the image, the contextual ones.</para>
/// <para>The attention is that of the tower layer whose output the features are, averaged over heads; similarity is the cosine of its keys, averaged over heads. In a tower without CLS, patches are ranked by the attention that they receive, and all dominant tokens are patches.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class VisionZipAttribute : VisualPolicyAttribute
{
    /// <summary>The CLS token and the patches that stay as they are, together; at least 1. The authors' default is 191.</summary>
    public int Dominant { get; set; } = 191;

    /// <summary>Tokens that the other patches are averaged into; 0 drops them. The authors' default is 30.</summary>
    public int Contextual { get; set; } = 30;
}
