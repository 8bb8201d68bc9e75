namespace Espalier.Planning;

/// <summary>The baseline <c>RandomPrune</c>: a seeded choice of the visual tokens that stay.</summary>
internal sealed class RandomPruneMethod : PolicyMethod
{
    public override string Name => "RandomPrune";

    internal override void Lower(PolicyLowering policy)
    {
        if (policy.Keep() is { } keep)
        {
            policy.Prune(
                new Boundary("AfterLayer", policy.Integer("AfterLayer", 0), NamesNextLayer: false),
                keep,
                new Ranking(Score.Random, Seed: policy.Integer("Seed", 0)));
        }
    }
}
