using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>FoPru (Jiang et al., "FoPru: Focal Pruning for Efficient Large Vision-Language Models", arXiv 2411.14164): at the output of the vision tower the patches, or the whole rows of patches, stay that receive most attention inside the tower.</summary>
/// <remarks>The exact significance formula is not published where we could read it: <see cref="Significance"/> holds named choices. Kept tokens stay in the order of the image, at contiguous positions. Give <see cref="Keep"/> or <see cref="KeepRatio"/>.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class FoPruAttribute : VisualPolicyAttribute
{
    /// <summary>Patches that stay; with <see cref="FoPruStrategy.Row"/> a multiple of the patches in a row.</summary>
    public int Keep { get; set; }

    /// <summary>The share that stays, above 0 and below 1; rounded to the nearest patch or row, halves to even.</summary>
    public double KeepRatio { get; set; }

    /// <summary>Whether single patches or whole rows of them are kept; <see cref="FoPruStrategy.Rank"/> unless said otherwise.</summary>
    public FoPruStrategy Strategy { get; set; } = FoPruStrategy.Rank;

    /// <summary>What a patch's significance is; <see cref="PatchSignificance.Received"/> unless said otherwise.</summary>
    public PatchSignificance Significance { get; set; } = PatchSignificance.Received;
}
