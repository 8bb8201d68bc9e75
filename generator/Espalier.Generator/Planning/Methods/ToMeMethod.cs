using System;

namespace Espalier.Planning;

/// <summary>ToMe (arXiv 2210.09461): in each layer of the tower, the most similar tokens become their mean.</summary>
internal sealed class ToMeMethod : PolicyMethod
{
    public override string Name => "ToMe";

    internal override void Lower(PolicyLowering policy)
    {
        int leaving = policy.Integer("R", 0);
        double inflection = policy.Real("Inflection", 0);
        bool fine = policy.CheckNumber("R", leaving is >= 0 and <= 1_000_000, leaving, "from 1 to 1000000");
        fine &= policy.CheckNumber("Inflection", inflection is >= -1 and <= 1, inflection, "from -1 to 1");
        if (policy.TowerLayersFrom(0, argument: null) is not { } layers || !fine)
        {
            return;
        }

        policy.ReduceInTower(
            policy.Has("R") ? "R" : null,
            new TowerReduction(0, Schedule(policy.Geometry.VisualTokens, leaving, inflection, layers), TowerReads.Keys, policy.Flag("ProportionalAttention", otherwise: true)),
            Score.KeySimilarity,
            tokens => new Kernel(Name, 3 * (tokens + 2), default));
    }

    /// <summary>As many in each layer, or a line from r (1 - inflection) to r (1 + inflection) over the layers that the features need; never more than half of the tokens that are there.</summary>
    private static EquatableArray<int> Schedule(int tokens, int leaving, double inflection, int layers)
    {
        int first = (int)(leaving * (1 - inflection));
        double step = layers == 1 ? 0 : ((2.0 * leaving) - (2.0 * first)) / (layers - 1);
        var schedule = new int[layers];
        for (int layer = 0; layer < layers; layer++)
        {
            schedule[layer] = Math.Min((int)(first + (step * layer)), tokens / 2);
            tokens -= schedule[layer];
        }

        return new EquatableArray<int>(schedule);
    }
}
