using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Prune and Merge ("Efficient Token Compression for Vision Transformer with Spatial Information Preserved"), with matrices that were made before: in each of the listed layers of the vision tower a static matrix makes
/// fewer rows of the visual tokens; behind the layer all tokens come back.</summary>
/// <remarks>
/// <para>The matrices are read at load from <c>prune-and-merge-N.safetensors</c> beside the checkpoint, where N is the number of rows. A token that is in no row bypasses the layer.</para>
/// <para>How the recovery and the bypass fit together is not said by the source; the page of the method names the choice. The paper fine-tunes the tower with its matrices; a LLaVA's tower was not.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class PruneAndMergeAttribute : VisualPolicyAttribute
{
    /// <summary>Runs the listed layers on fewer rows.</summary>
    /// <param name="layers">Zero-based tower layers that run for the features, ascending, at least one.</param>
    public PruneAndMergeAttribute(params int[] layers)
    {
        Layers = layers;
    }

    /// <summary>The listed layers.</summary>
    public int[] Layers { get; }

    /// <summary>Rows that each of the layers runs on, besides the CLS row: at least 1, and fewer than there are visual tokens.</summary>
    public int Keep { get; set; }

    /// <summary>The same as a share of the visual tokens, above 0 and below 1, rounded to the nearest integer, halves to even. Give this or <see cref="Keep"/>.</summary>
    public double KeepRatio { get; set; }
}
