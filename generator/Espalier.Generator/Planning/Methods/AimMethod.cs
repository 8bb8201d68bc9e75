using System;

namespace Espalier.Planning;

/// <summary>AIM (arXiv 2412.03248): similar tokens are merged behind the projector; inside the decoder, layer by layer, those leave that least attention flows to.</summary>
internal sealed class AimMethod : PolicyMethod
{
    public override string Name => "Aim";

    internal override void Lower(PolicyLowering policy)
    {
        int halvings = policy.Integer("Halvings", 2);
        string order = policy.Choice("Order", "Similarity");
        int first = policy.Integer("L1", 13);
        int last = policy.Integer("L2", 21);
        int bottom = policy.Geometry.Text.Layers - 2;
        bool fine = policy.CheckChoice("Order", order, "AimOrder", "Similarity", "Relative");
        fine &= policy.CheckNumber("Halvings", halvings is >= 0 and <= 20, halvings, "from 0 to 20");
        fine &= policy.CheckNumber("L2", last >= 0 && last <= bottom, last, "from 0 to " + PlanText.Plain(bottom) + ", the last layer but one");
        if (!fine || !policy.CheckNumber("L1", first >= -1 && first < last, first, "from -1 to " + PlanText.Plain(last - 1) + ", a layer before L2"))
        {
            return;
        }

        if (halvings > 0)
        {
            int hidden = policy.Geometry.Text.Hidden;
            policy.Reduce(
                Site.Projected,
                KeepRule.CountedBy(policy.Has("Halvings") ? "Halvings" : null, tokens => Halve(tokens, halvings)),
                Score.FeatureSimilarity,
                Compress.MergeIntoKept,
                kernel: tokens => new Kernel(Name, Scratch(tokens, halvings, hidden), EquatableArray.Of(
                    new KernelArgument("halvings", halvings),
                    new KernelArgument("order", 0, "AimOrder." + order))));
        }

        // Tokens leave behind the layer whose attention ranks them, so a layer's rate holds from the next one on. The published figures apply it one layer earlier.
        for (int layer = first + 1; layer < last; layer++)
        {
            policy.Prune(
                new Boundary("L1", layer, NamesNextLayer: false),
                new KeepRule("L1", Tokens: null, Share: (double)(last - layer) / (last - first), Truncates: true, IsOfEntering: true),
                new Ranking(Score.PageRank));
        }

        policy.Exit(new Boundary("L2", last, NamesNextLayer: false));
    }

    /// <summary>Every second token finds a partner; of an odd number one stays alone.</summary>
    private static int Halve(int tokens, int halvings)
    {
        for (int i = 0; i < halvings; i++)
        {
            tokens = (tokens + 1) / 2;
        }

        return tokens;
    }

    /// <summary>Eight numbers a token, and behind the first halving the means that the next one compares.</summary>
    private static int Scratch(int tokens, int halvings, int hidden) =>
        (int)Math.Min(int.MaxValue, (8L * (tokens + 1)) + (halvings > 1 ? (tokens + 1L) / 2 * hidden : 0));
}
