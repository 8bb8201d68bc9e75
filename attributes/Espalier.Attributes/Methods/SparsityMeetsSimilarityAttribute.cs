using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Sparsity Meets Similarity (Yu, Chen and Xu, arXiv 2409.01162): the visual tokens most similar to the CLS token stay, as many as lie before the inflection of the sorted similarities of this image;
/// inside the decoder a second round keeps those that the text attends to.</summary>
/// <remarks>The exact inflection formula, the decoder layer, the score and the threshold are not known from primary sources. All of them are named choices here, and no parity with the paper is claimed.
/// How many tokens stay depends on the image: plans show "at most", and buffers are sized so.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class SparsityMeetsSimilarityAttribute : VisualPolicyAttribute
{
    /// <summary>What ranks the patches; <see cref="ClsSimilarity.Cosine"/> unless said otherwise.</summary>
    public ClsSimilarity Similarity { get; set; } = ClsSimilarity.Cosine;

    /// <summary>Where the sorted similarities are cut; <see cref="InflectionCut.Chord"/> unless said otherwise.</summary>
    public InflectionCut Cut { get; set; } = InflectionCut.Chord;

    /// <summary>Scores in the moving average of <see cref="InflectionCut.SecondDifference"/>: an odd number from 1 to 99, 9 unless said otherwise.</summary>
    public int Window { get; set; } = 9;

    /// <summary>The share of the visual tokens that stays at least, 0 or more, rounded up; 0.05 unless said otherwise. One token always stays.</summary>
    public double AtLeast { get; set; } = 0.05;

    /// <summary>The share of the visual tokens that stays at most, up to 1, rounded down; 1 unless said otherwise. Memory is sized by it.</summary>
    public double AtMost { get; set; } = 1;

    /// <summary>What leaves inside the decoder; <see cref="SecondRound.Visual"/> unless said otherwise.</summary>
    public SecondRound Round2 { get; set; } = SecondRound.Visual;

    /// <summary>The first zero-based decoder layer behind the second round, 1 to the last; 2 unless said otherwise.</summary>
    public int K2 { get; set; } = 2;

    /// <summary>The multiple of the mean attention that a token needs in the second round, above 0 and up to 100; 1 unless said otherwise.</summary>
    public double Theta { get; set; } = 1;
}
