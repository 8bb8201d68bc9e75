using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>PyramidDrop (Xing et al., "PyramidDrop: Accelerating Your Large Vision-Language Models via Pyramid Visual Redundancy Reduction", arXiv 2410.17247): the layers are divided into
/// <see cref="S"/> stages, and at the end of each but the last only the share <see cref="Lambda"/> of its visual tokens stays.</summary>
/// <remarks>
/// Before layer s⌊L/S⌋, for s = 1 to S - 1, int(N λ^s) of the N visual tokens stay: those that the last prompt row would attend to most in that layer, averaged over the heads. As in the
/// authors' code, the rows are then renumbered, so from there on positions have no gaps, and a decoded token has a smaller position in later stages.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class PyramidDropAttribute : VisualPolicyAttribute
{
    /// <summary>The paper's λ: the share of the visual tokens that each stage hands on to the next, above 0 and below 1; the paper's default is 0.5.</summary>
    public double Lambda { get; set; } = 0.5;

    /// <summary>The paper's S: stages, 2 to the number of layers; the paper's default is 4.</summary>
    public int S { get; set; } = 4;
}
