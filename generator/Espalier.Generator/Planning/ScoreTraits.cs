using System;

namespace Espalier.Planning;

/// <summary>What the plan, its table and the emitted loop know of a score. A new score is a member of <see cref="Score"/> and a row here; nothing else asks which score it is.</summary>
/// <remarks>In the texts {0} is what the step adds to its score: the scorer, the seed, or the layer behind the boundary. Immutable.</remarks>
internal sealed class ScoreTraits
{
    /// <summary>One row a member of <see cref="Score"/>, in their order.</summary>
    private static readonly ScoreTraits[] Rows =
    {
        new("nothing", "stay"),
        new("last-query attention", "with the highest scores stay", LayerKind.Scored, LayerKind.FrozenScored, LayerKind.PartialScored, "the last row's attention to each"),
        new("{0}", "that {0} ranks highest stay"),
        new("chance, seed {0}", "chosen by chance from seed {0}, stay"),
        new("next-layer attention", "that the last row would attend to most in layer {0} stay") { AsksNextLayer = true },
        new("text attention", "with the highest scores stay", LayerKind.TextScored, LayerKind.FrozenTextScored, LayerKind.PartialTextScored, "the attention of the text rows behind them to each, on average,"),
        new("CLS attention", "with the highest scores stay"),
        new("similarity to the CLS token", "with the highest scores stay"),
        new("full-width CLS attention", "with the highest scores stay"),
        new("received attention", "with the highest scores stay"),
        new("conditional diversity", "that are relevant and far from each other stay"),
        new("diversity", "that are far from each other stay"),
        new("propagated norms", "with the highest scores stay"),
        new("redundancy", "that are least redundant stay"),
        new("similar keys", "stay"),
        new("full-width CLS attention, relation to the text", "with the highest scores stay"),
        new("CLS attention ahead", "with the highest scores stay"),
        new("similar features", "stay"),
        new("PageRank over attention", "with the highest scores stay", LayerKind.PageRanked, frozenKind: null, partialKind: null, source: "what five steps of PageRank over its attention leave at each"),
        new("the raters' attention", "with the highest scores stay", LayerKind.RaterScored, LayerKind.FrozenRaterScored, partialKind: null, source: "the raters' attention to each, on average,"),
        new("the raters' corrected attention", "with the highest scores stay", LayerKind.RaterScored, LayerKind.FrozenRaterScored, partialKind: null, source: "the raters' attention to each, corrected for distance,"),
        new("unlikeness to pivots by key norm", "that are pivots or least like one stay", LayerKind.KeyNormed, frozenKind: LayerKind.FrozenKeyNormed, partialKind: null, source: "the L1 norm of the key of each"),
    };

    private readonly string _words;
    private readonly string _choice;

    private ScoreTraits(string words, string choice, LayerKind kind = LayerKind.Dense, LayerKind? frozenKind = LayerKind.Frozen, LayerKind? partialKind = LayerKind.Partial, string source = "")
    {
        _words = words;
        _choice = choice;
        Kind = kind;
        FrozenKind = frozenKind;
        Source = source;
        PartialKind = partialKind;
    }

    /// <summary>The kind of the layer before the boundary, which hands out the score; <see cref="LayerKind.Dense"/> if no layer does.</summary>
    public LayerKind Kind { get; }

    /// <summary>The same for a frozen layer; null if it cannot hand the score out, since that needs the queries of the visual rows.</summary>
    public LayerKind? FrozenKind { get; }

    /// <summary>What the layer hands out, as the emitted loop says it before "is its score"; empty if no layer does.</summary>
    public string Source { get; }

    /// <summary>The same for a layer in which visual rows do less work; null if it cannot hand the score out, since that needs all of their attention.</summary>
    public LayerKind? PartialKind { get; }

    /// <summary>True if the score comes out of the layer before the boundary, so that there must be one.</summary>
    public bool NeedsLayerBefore => Kind != LayerKind.Dense;

    /// <summary>True if the layer behind the boundary is asked before it runs.</summary>
    public bool AsksNextLayer { get; private set; }

    /// <summary>The traits of a score.</summary>
    public static ScoreTraits Of(Score score) => (uint)score < (uint)Rows.Length ? Rows[(int)score] : throw new ArgumentOutOfRangeException(nameof(score), score, "The score has no traits.");

    /// <summary>The score of a step as tables name it, for example "last-query attention".</summary>
    public string Words(Step step) => _words.Replace("{0}", Subject(step));

    /// <summary>Which tokens stay, as the emitted loop says it behind their number, for example "with the highest scores stay".</summary>
    public string Choice(Step step) => _choice.Replace("{0}", Subject(step));

    private static string Subject(Step step) =>
        step.ScorerType is { } scorer ? PlanText.ShortType(scorer) : PlanText.Plain(Of(step.Score).AsksNextLayer ? step.AfterLayer + 1 : step.Seed);
}
