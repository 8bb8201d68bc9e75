namespace Espalier.Planning;

/// <summary>FastV (arXiv 2403.06764): before layer K, the share R of the visual tokens that the last row attends to least leaves.</summary>
internal sealed class FastVMethod : PolicyMethod
{
    public override string Name => "FastV";

    internal override void Lower(PolicyLowering policy)
    {
        double pruned = policy.Real("R", 0.5);
        if (!policy.CheckRatio("R", pruned))
        {
            return;
        }

        string rows = policy.Choice("Rows", "Last");
        if (rows is not ("Last" or "Mean"))
        {
            policy.Report(PlanProblemKind.UnknownScore, "Rows", -1, rows, "FastVRows");
        }

        // The order of operations is that of the Hugging Face port, round(N * (1 - R)), so that ties round the same way.
        policy.Prune(
            new Boundary("K", policy.Integer("K", 2), NamesNextLayer: true),
            new KeepRule("R", Tokens: null, Share: 1 - pruned),
            new Ranking(rows == "Mean" ? Score.TextAttention : Score.LastQueryAttention));
    }
}
