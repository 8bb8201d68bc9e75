using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>RedundancyLens ("Beyond Token Compression", arXiv 2501.19036): in the listed layers visual tokens stay and do less work.</summary>
/// <remarks>
/// Feed-forward: some visual tokens say which neurons all of them use. Attention is hollow: visual tokens attend to the nearest visual tokens before them and to all text before them. Text does everything.
/// The paper's ranking of layers takes about 2,350 samples; the layer contribution that <c>espalier calibrate</c> measures is another ranking, which takes a few.
/// With <see cref="FeedForward"/> such a class runs in <see cref="Precision.Float32"/> only.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class RedundancyLensAttribute : VisualPolicyAttribute
{
    /// <summary>Lets visual tokens do less in the listed layers.</summary>
    /// <param name="layers">Zero-based layers, at least one, in any order, each once.</param>
    public RedundancyLensAttribute(params int[] layers)
    {
        Layers = layers;
    }

    /// <summary>The listed layers.</summary>
    public int[] Layers { get; }

    /// <summary>The share of the neurons that visual tokens use, between 0 and 1, rounded to the nearest number, halves to even; 0.2 as published.</summary>
    public double K { get; set; } = 0.2;

    /// <summary>The share of the visual tokens that are probed, between 0 and 1: every so many-th from the first on, 1 / M rounded; 0.1 as published.</summary>
    public double M { get; set; } = 0.1;

    /// <summary>The paper's R_A: how many visual tokens before it a visual token attends to; at least 1; 256 as published.</summary>
    public int RA { get; set; } = 256;

    /// <summary>True, the default, if visual tokens use fewer neurons.</summary>
    public bool FeedForward { get; set; } = true;

    /// <summary>True, the default, if visual tokens attend to fewer visual tokens.</summary>
    public bool Attention { get; set; } = true;
}
