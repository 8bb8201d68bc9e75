using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>ToMe (Bolya et al., "Token Merging: Your ViT But Faster", arXiv 2210.09461): in each layer of the vision tower, the <see cref="R"/> most similar pairs of visual tokens become one token each.</summary>
/// <remarks>
/// <para>Between attention and feed-forward layer. Tokens are dealt in turn to two sets; each of the first finds the one of the second with the most similar key, and the best pairs become the mean of the patches that they stand for.
/// The CLS token is never merged. The tokens that reach the decoder come in the order of the algorithm, at contiguous positions.</para>
/// <para>At most half of the tokens that are there leave in a layer.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class ToMeAttribute : VisualPolicyAttribute
{
    /// <summary>The paper's r: tokens that leave in each layer; at least 1. There is no default: it depends on the model.</summary>
    public int R { get; set; }

    /// <summary>How the tokens are spread over the layers, -1 to 1: 0, the default, is <see cref="R"/> in each; 1 is a line from none to 2 R, -1 one from 2 R to none.</summary>
    public double Inflection { get; set; }

    /// <summary>True, the default, if attention counts a key as often as the patches that its token stands for.</summary>
    public bool ProportionalAttention { get; set; } = true;
}
