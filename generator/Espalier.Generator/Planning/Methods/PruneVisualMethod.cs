namespace Espalier.Planning;

/// <summary>The primitive <c>PruneVisual</c>: keep so many, or such a share, of the visual tokens after a layer, ranked by a score of ours or by a scorer of the user's.</summary>
internal sealed class PruneVisualMethod : PolicyMethod
{
    public override string Name => "PruneVisual";

    internal override void Lower(PolicyLowering policy)
    {
        Ranking ranking = new(Score.LastQueryAttention);
        if (policy.Type("TScorer") is { } scorer)
        {
            ranking = new Ranking(Score.Custom, ScorerType: scorer);
        }
        else if (policy.Choice("Score", nameof(Score.LastQueryAttention)) is var score && score == nameof(Score.TextAttention))
        {
            ranking = new Ranking(Score.TextAttention);
        }
        else if (score != nameof(Score.LastQueryAttention))
        {
            policy.Report(PlanProblemKind.UnknownScore, "Score", -1, score, "TokenScore");
        }

        if (policy.Keep() is { } keep)
        {
            policy.Prune(new Boundary("AfterLayer", policy.Integer("AfterLayer", 0), NamesNextLayer: false), keep, ranking);
        }
    }
}
