using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Primitive: in some decoder layers the visual tokens are read by attention but not updated. They write keys and values, and skip queries, output projection and feed-forward.</summary>
/// <remarks>Say which layers either as a list, <c>[FreezeVisual(5, 6, 7)]</c>, or as a range, <c>[FreezeVisual(FirstLayer = 5, LastLayer = 7)]</c>. The attribute may be repeated, for different layers.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class FreezeVisualAttribute : VisualPolicyAttribute
{
    /// <summary>Freezes visual tokens in the listed layers.</summary>
    /// <param name="layers">Zero-based layers, ascending. Empty if <see cref="FirstLayer"/> and <see cref="LastLayer"/> are given instead.</param>
    public FreezeVisualAttribute(params int[] layers)
    {
        Layers = layers;
    }

    /// <summary>The listed layers.</summary>
    public int[] Layers { get; }

    /// <summary>First layer of the range, zero-based. Goes together with <see cref="LastLayer"/>.</summary>
    public int FirstLayer { get; set; }

    /// <summary>Last layer of the range, inclusive.</summary>
    public int LastLayer { get; set; }
}
