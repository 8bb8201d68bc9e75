using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>YOPO (Zhang et al., "Treat Visual Tokens as Text? But Your MLLM Only Needs Fewer Efforts to See", arXiv 2410.06169): all visual tokens stay, and do less work in each layer.</summary>
/// <remarks>
/// Visual tokens attend to their neighbours on the patch grid, use the first neurons of the feed-forward layers, and are of no use from a layer on. Text does everything, and reads all visual tokens.
/// The heads that visual tokens do without are <see cref="YopoHeadsAttribute"/>s beside it. The authors' LLaVA checkpoints were fine-tuned to work so; others lose answers.
/// What is left out is not computed: parts of the weights are multiplied with fewer rows. Such a class runs in <see cref="Precision.Float32"/> only, unless <see cref="Ratio"/> is 1 and no head is dropped.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class YopoAttribute : VisualPolicyAttribute
{
    /// <summary>The code's <c>attncut_w</c>: the side of the square of patches that a visual token attends to, with itself in the middle. Odd; 0 for no such limit; the authors' is 5.</summary>
    public int W { get; set; } = 5;

    /// <summary>The code's <c>mlpcut_ratio</c>: visual tokens use the first 1 / Ratio of the neurons, rounded downwards. 1 for all; the authors' script has 2.</summary>
    public int Ratio { get; set; } = 2;

    /// <summary>The code's <c>layercut_num</c>: the first zero-based layer in which no visual token is read, so that they leave before it. 20 for the authors' LLaVA-1.5; by default they stay.</summary>
    public int LayerCut { get; set; }

    /// <summary>The first zero-based layer in which visual tokens do less; 0 in the authors' code. Layers that another policy freezes, or merges tokens in, are left to it.</summary>
    public int FirstLayer { get; set; }

    /// <summary>True, the default, if a visual token attends to neighbours before it; false if also to those behind it, as the authors' LLaVA code has it, whose window replaces the causal mask among visual tokens.</summary>
    public bool Causal { get; set; } = true;
}
