using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>ELIP (Guo et al., "ELIP: Efficient Language-Image Pre-training with Fewer Vision Tokens", arXiv 2309.16738), its parameter-free part: before some layers of the vision tower the patches stay that the CLS token
/// attends to a few layers ahead; the others become one token.</summary>
/// <remarks>
/// <para>The tower runs ahead on all rows, the attention is read, and the layers run again on the rows that stay. The rows keep the order of the image, the merged one comes last; they take contiguous positions in the decoder.</para>
/// <para>The paper mixes the output of a text encoder that was trained with the tower into the CLS row that runs ahead. No LLaVA checkpoint holds such an encoder, so the CLS row runs ahead as it is: a named choice, without a claim of parity.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class ElipAttribute : VisualPolicyAttribute
{
    /// <summary>Reduces before the listed layers.</summary>
    /// <param name="layers">Zero-based tower layers that run for the features, ascending. The authors' are 2, 4 and 10, which none stands for.</param>
    public ElipAttribute(params int[] layers)
    {
        Layers = layers;
    }

    /// <summary>The listed layers.</summary>
    public int[] Layers { get; }

    /// <summary>The share of the model's visual tokens that stays before each of the layers, above 0 and below 1, falling; rounded down, and the merged token comes on top. The authors' are 0.9, 0.65 and 0.4.</summary>
    public double[] Ratios { get; set; } = { 0.9, 0.65, 0.4 };

    /// <summary>Layers that run ahead, at most: 1 to 1000. 0, the default, is all up to the next of the listed layers, or to the last that runs; of the authors' twelve layers 2, 6 and 2, as in their code.</summary>
    public int LookAhead { get; set; }
}
