using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Recoverable Compression (Chen, Xu et al., arXiv 2409.01179, AAAI 2025; by authors of <see cref="SparsityMeetsSimilarityAttribute">Sparsity Meets Similarity</see>): at the output of the vision tower the patches stay that the CLS token
/// attends to, as many as the image asks for; those that the text asks for are recovered; the others go into a few of them and into one more token.</summary>
/// <remarks>The paper recovers by CLIP's text tower: it is read where it lies in or beside the checkpoint, see the page of the method. No LLaVA checkpoint holds it; its substitute is the cosine of each projected patch with the mean embedding of the text behind the image: a named choice, without a claim of parity.
/// How many tokens stay depends on the image and the text: plans show "at most", which is all of them, and buffers are sized so.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class RecoverableCompressionAttribute : VisualPolicyAttribute
{
    /// <summary>Where sorted scores are cut, all three times; <see cref="InflectionCut.LocalOutlier"/>, as the authors' code, unless said otherwise.</summary>
    public InflectionCut Cut { get; set; } = InflectionCut.LocalOutlier;

    /// <summary>Scores in the moving average of <see cref="InflectionCut.SecondDifference"/>: an odd number from 1 to 99, 9 unless said otherwise.</summary>
    public int Window { get; set; } = 9;

    /// <summary>Patches that each centre among the others takes in, 1 to 1000; of fewer all. The authors' default is 32.</summary>
    public int Neighbours { get; set; } = 32;

    /// <summary>What a patch's relation to the text counts beside the cosine of its key when neighbours are chosen, 0 to 1000000. The authors' default is 50.</summary>
    public double TextWeight { get; set; } = 50;
}
