using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Baseline: visual tokens chosen at random leave the sequence. The kept ones keep their order and their positions.</summary>
/// <remarks>
/// Every set of so many tokens is equally likely, and <see cref="Seed"/> fixes which one it is: the same tokens for every picture, prompt, machine and version. A method that is worth its
/// name does better than this at the same count. Give exactly one of <see cref="Keep"/> and <see cref="KeepRatio"/>. The attribute may be repeated, at different boundaries.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class RandomPruneAttribute : VisualPolicyAttribute
{
    /// <summary>The zero-based layer behind which the tokens leave: -1, before the first layer, to the last layer but one.</summary>
    public int AfterLayer { get; set; }

    /// <summary>Visual tokens that stay: at least 1, and fewer than there are at that boundary.</summary>
    public int Keep { get; set; }

    /// <summary>The share of the visual tokens present at that boundary that stays, above 0 and below 1. The count is rounded to the nearest integer, halves to even.</summary>
    public double KeepRatio { get; set; }

    /// <summary>Any number; it decides which tokens stay. 0 unless said otherwise.</summary>
    public int Seed { get; set; }
}
