using System;
using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>What ranks the visual tokens of a step.</summary>
public enum Score
{
    /// <summary>Nothing: all tokens share one fate.</summary>
    None,

    /// <summary>Softmax attention that the last prompt row pays to each visual row, mean over heads (FastV, arXiv 2403.06764).</summary>
    LastQueryAttention,

    /// <summary>A scorer of the user's own.</summary>
    Custom,

    /// <summary>Chance, from a seed: the baseline.</summary>
    Random,

    /// <summary>Softmax attention that the last prompt row would pay to each visual row in the layer behind the boundary if nothing left, mean over heads (PyramidDrop, arXiv 2410.17247).</summary>
    NextLayerAttention,

    /// <summary>Softmax attention that the text rows behind the image pay to each visual row, mean over rows and heads (FastV's text, arXiv 2403.06764).</summary>
    TextAttention,

    /// <summary>Softmax attention that the tower's CLS token pays to each patch, mean over heads, summed over tower layers.</summary>
    ClsAttention,

    /// <summary>Cosine of the patch's features with those of the tower's CLS token.</summary>
    ClsSimilarity,

    /// <summary>Softmax attention that the CLS token pays to each patch over the full width of queries and keys, in the tower's last layer (PruMerge, arXiv 2403.15388).</summary>
    FullWidthClsAttention,

    /// <summary>Softmax attention that each patch receives in the tower, mean over rows and heads.</summary>
    ReceivedAttention,

    /// <summary>Diversity weighted by relevance to the text: a determinantal point process (CDPruner, arXiv 2506.10967).</summary>
    ConditionalDiversity,

    /// <summary>Distance to the tokens that are kept already: greedy max-min diversity (DivPrune, CVPR 2025).</summary>
    Diversity,

    /// <summary>Information that gathers in a token when norms are propagated over the graph of similar tokens (G-Prune, AAAI 2025).</summary>
    GraphPropagation,

    /// <summary>How alike a token is to the others, against what it means to the CLS token or to the text (FiCoCo, arXiv 2411.17686).</summary>
    Redundancy,

    /// <summary>The cosine of a token's key to the most similar one of the other half of the tokens (ToMe, arXiv 2210.09461).</summary>
    KeySimilarity,

    /// <summary>Softmax attention of the CLS token over the full width of queries and keys, and beside it the cosine with the text behind the image (Recoverable Compression, arXiv 2409.01179).</summary>
    AttentionAndText,

    /// <summary>Softmax attention that the tower's CLS token pays to each row some layers ahead, mean over heads (ELIP, arXiv 2309.16738).</summary>
    ClsAttentionAhead,

    /// <summary>The cosine of a token's features to those of the most similar one of the other half of the tokens (AIM, arXiv 2412.03248).</summary>
    FeatureSimilarity,

    /// <summary>What five steps of PageRank over the layer's sharpened attention leave at each visual row, root mean square over heads (AIM, arXiv 2412.03248).</summary>
    PageRank,

    /// <summary>Softmax attention that the raters, the text tokens which resemble the image, pay to each visual row, mean over raters and heads (SparseVLM, arXiv 2410.04417).</summary>
    RaterAttention,

    /// <summary>As <see cref="RaterAttention"/>, divided by what distance alone would make of it, mean over the heads that look at the image most (SparseVLM+).</summary>
    CorrectedRaterAttention,

    /// <summary>The sum of the absolute values of each visual row's key in the layer before (DART, arXiv 2502.11494): what picks the pivots that the others are compared with.</summary>
    KeyNorm,
}

/// <summary>What a step does with the visual tokens that it does not keep.</summary>
public enum Compress
{
    /// <summary>They leave the sequence.</summary>
    Drop,

    /// <summary>They leave; each is averaged into the one of some evenly spaced targets whose key is most similar (VisionZip, CVPR 2025).</summary>
    MergeIntoTargets,

    /// <summary>They leave; each is averaged into the kept token whose row is most similar.</summary>
    MergeIntoSimilar,

    /// <summary>They leave; those that stay take shares of them.</summary>
    MergeIntoKept,

    /// <summary>They all leave; registers that ran behind them from the first layer on stay in their place (Victor, arXiv 2410.14072).</summary>
    Summarise,

    /// <summary>They leave; each is added, by its score, to the kept tokens that are its neighbours by key, and all of them to one more token (PruMerge, arXiv 2403.15388).</summary>
    AddNeighbours,

    /// <summary>They leave; the best of them are averaged into clusters, which stand behind the tokens that stay (SparseVLM, arXiv 2410.04417).</summary>
    Recycle,
}

/// <summary>What a step does with the positions of the rows that it leaves.</summary>
public enum Positions
{
    /// <summary>Every row keeps the position that it had before.</summary>
    Keep,

    /// <summary>The rows are numbered anew, without gaps, and tokens decoded later follow on them in the layers behind the step.</summary>
    Renumber,
}

/// <summary>One reduction at one site: the visual rows shrink from <paramref name="TokensBefore"/> to <paramref name="TokensAfter"/>.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="AfterLayer">The zero-based decoder layer behind which the step runs, or inside of which, behind its attention; -1 is before the first, and on the vision side.</param>
/// <param name="Score">What ranks the tokens.</param>
/// <param name="Compress">What happens to the rest.</param>
/// <param name="TokensBefore">Visual rows before the step; at most, behind a step with a <paramref name="Count"/>.</param>
/// <param name="TokensAfter">Visual rows after the step, at most if <paramref name="Count"/> is given; 0 is an exit.</param>
/// <param name="Declaration">The policy as it was declared, for example <c>FastV(K = 2, R = 0.5)</c>.</param>
/// <param name="ScorerType">Full name of the user's scorer if <paramref name="Score"/> is <see cref="Score.Custom"/>, as C# writes it with <c>global::</c>, else null.</param>
/// <param name="Seed">What fixes the choice if <paramref name="Score"/> is <see cref="Score.Random"/>, else 0.</param>
/// <param name="Positions">What happens to the positions of the rows that are left.</param>
/// <param name="Site">Where the step runs.</param>
/// <param name="TowerScores">The tower layers whose CLS attention the step reads; null if it reads none.</param>
/// <param name="Kernel">The function that picks the tokens, and says what a merge makes of them; null if the highest scores stay.</param>
/// <param name="Registers">Learned rows that run behind the visual tokens from the first layer on and stay when those leave, if <paramref name="Compress"/> is <see cref="Compress.Summarise"/>, else 0.</param>
/// <param name="Count">How many rows are left where only the image says it; null if it is <paramref name="TokensAfter"/>.</param>
/// <param name="RelevantText">Where text rows behind the image leave with the visual ones: the multiple of their mean score that they need to stay. 0 if all of them stay.</param>
/// <param name="Tower">The tower layers of a step inside the tower; null elsewhere.</param>
public sealed record Step(
    int AfterLayer,
    Score Score,
    Compress Compress,
    int TokensBefore,
    int TokensAfter,
    string Declaration,
    string? ScorerType = null,
    int Seed = 0,
    Positions Positions = Positions.Keep,
    Site Site = Site.DecoderBoundary,
    TowerScores? TowerScores = null,
    Kernel? Kernel = null,
    int Registers = 0,
    RunTimeCount? Count = null,
    double RelevantText = 0,
    TowerReduction? Tower = null)
{
    /// <summary>The same step in layers that follow each other, with as many tokens fewer in each.</summary>
    /// <param name="lastLayer">The last of the layers.</param>
    /// <param name="first">The step of the first.</param>
    public static IEnumerable<Step> Falling(int lastLayer, Step first)
    {
        _ = first ?? throw new ArgumentNullException(nameof(first));
        int by = first.TokensBefore - first.TokensAfter;
        for (int layer = first.AfterLayer; layer <= lastLayer; layer++)
        {
            int fallen = (layer - first.AfterLayer) * by;
            yield return first with { AfterLayer = layer, TokensBefore = first.TokensBefore - fallen, TokensAfter = first.TokensAfter - fallen };
        }
    }

    /// <summary>Visual rows that stay as they are: fewer than <see cref="TokensAfter"/> where others are recycled into rows behind them. At most so many if the step <see cref="IsDynamic"/>.</summary>
    public int TokensKept => Compress == Compress.Recycle && !IsDynamic && Kernel?.Find("keep") is { } keep ? (int)keep.Value : TokensAfter;

    /// <summary>True if all visual rows leave.</summary>
    public bool IsExit => TokensAfter == 0;

    /// <summary>True if the rows that the step leaves are counted while the model runs.</summary>
    public bool IsDynamic => Count is not null;

    /// <summary>Visual rows to expect after the step: those of the plan, or what is typical where only the image says it.</summary>
    public int TypicalTokensAfter => Count?.Typical ?? TokensAfter;

    /// <summary>True if the step runs before the decoder, so that the decoder starts with fewer rows.</summary>
    public bool IsVisionSide => Site is not (Site.DecoderBoundary or Site.InsideLayer);

    /// <summary>True if the step lies inside a decoder layer.</summary>
    public bool IsInsideLayer => Site == Site.InsideLayer;

    /// <summary>True if rows are made of several rows, so that weights say of which.</summary>
    public bool IsMerge => Compress is Compress.MergeIntoTargets or Compress.MergeIntoSimilar or Compress.MergeIntoKept or Compress.AddNeighbours or Compress.Recycle;
}
