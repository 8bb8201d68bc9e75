namespace Espalier.Planning;

/// <summary>The primitive <c>PruneVisual</c>: keep so many, or such a share, of the visual tokens after a layer.</summary>
internal sealed class PruneVisualMethod : PolicyMethod
{
    public override string Name => "PruneVisual";

    internal override void Lower(PolicyLowering policy)
    {
        string score = policy.Choice("Score", nameof(Score.LastQueryAttention));
        if (score != nameof(Score.LastQueryAttention))
        {
            policy.Report(PlanProblemKind.UnknownScore, "Score", -1, score);
        }

        bool counted = policy.Has("Keep");
        bool shared = policy.Has("KeepRatio");
        if (counted == shared)
        {
            policy.Report(PlanProblemKind.KeepUnclear, counted ? "KeepRatio" : null, -1, counted ? "both" : "neither");
            return;
        }

        if (shared && !policy.CheckRatio("KeepRatio", policy.Real("KeepRatio", 0)))
        {
            return;
        }

        KeepRule keep = counted
            ? new KeepRule("Keep", policy.Integer("Keep", 0), Share: null)
            : new KeepRule("KeepRatio", Tokens: null, policy.Real("KeepRatio", 0));
        policy.Prune(new Boundary("AfterLayer", policy.Integer("AfterLayer", 0), NamesNextLayer: false), keep, Score.LastQueryAttention);
    }
}
