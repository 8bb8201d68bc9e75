using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Primitive: after a decoder layer the visual tokens that a scorer of your own ranks highest stay, and each of the others is averaged into the kept token whose hidden row is most similar.</summary>
/// <remarks>
/// A kept row becomes the mean of itself and of the rows that go into it, and keeps its place and its position. Similarity is the cosine; of equal ones the lower index counts.
/// The compiled loop calls the scorer directly: no boxing, no delegate, nothing allocated. Needs C# 11, as all generic attributes do.
/// Give exactly one of <see cref="Keep"/> and <see cref="KeepRatio"/>. The attribute may be repeated, at different boundaries; the counts fall from one to the next.
/// </remarks>
/// <typeparam name="TScorer">The scorer: a struct that implements <c>Espalier.ITokenScorer</c> of the runtime, and that the declared class can see.</typeparam>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class MergeVisualAttribute<TScorer> : VisualPolicyAttribute
    where TScorer : struct
{
    /// <summary>The zero-based layer behind which the tokens are merged: -1, before the first layer, to the last layer but one.</summary>
    public int AfterLayer { get; set; }

    /// <summary>Visual tokens that are left: at least 1, and fewer than there are at that boundary.</summary>
    public int Keep { get; set; }

    /// <summary>The share of the visual tokens present at that boundary that is left, above 0 and below 1. The count is rounded to the nearest integer, halves to even.</summary>
    public double KeepRatio { get; set; }
}
