namespace Espalier.Planning;

/// <summary>DivPrune (CVPR 2025): of the projected tokens, a subset whose smallest distance is large stays.</summary>
internal sealed class DivPruneMethod : PolicyMethod
{
    public override string Name => "DivPrune";

    internal override void Lower(PolicyLowering policy)
    {
        if (policy.CountOrShare("Keep", "Ratio", 0.098, truncates: false) is { } keep)
        {
            policy.Reduce(Site.Projected, keep, Score.Diversity, kernel: tokens => new Kernel(Name, 2 * tokens, default));
        }
    }
}
