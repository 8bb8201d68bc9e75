using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>FastV (Chen et al., "An Image is Worth 1/2 Tokens After Layer 2", arXiv 2403.06764): before layer <see cref="K"/>, the share <see cref="R"/> of the visual tokens
/// that the last prompt row attends to least leaves the sequence.</summary>
/// <remarks>
/// Lowers to <c>[PruneVisual(AfterLayer = K - 1, Keep = round(N (1 - R)))]</c>, where N counts the visual tokens present before layer K and halves are rounded to even, as in the authors' Hugging Face port.
/// The score is the attention of the last row in layer K - 1, averaged over the heads: the paper's text speaks of the average over all rows, its code takes the last; <see cref="Rows"/> offers both. Kept tokens keep their positions.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class FastVAttribute : VisualPolicyAttribute
{
    /// <summary>The paper's K: the first zero-based layer that runs on fewer tokens. 1 to the last layer; the paper's default is 2.</summary>
    public int K { get; set; } = 2;

    /// <summary>The paper's R: the share of the visual tokens that leaves, above 0 and below 1; the paper's default is 0.5.</summary>
    public double R { get; set; } = 0.5;

    /// <summary>Whose attention ranks the tokens; <see cref="FastVRows.Last"/>, the code's, unless said otherwise.</summary>
    public FastVRows Rows { get; set; } = FastVRows.Last;
}
