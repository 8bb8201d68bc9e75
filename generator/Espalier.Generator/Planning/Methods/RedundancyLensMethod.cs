using System;
using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>RedundancyLens (arXiv 2501.19036): in the listed layers visual tokens use the neurons that some of them activate most, and attend to the nearest visual tokens before them.</summary>
internal sealed class RedundancyLensMethod : PolicyMethod
{
    public override string Name => "RedundancyLens";

    internal override void Lower(PolicyLowering policy)
    {
        const string Argument = "layers";
        EquatableArray<int> layers = policy.Layers(Argument);
        double share = policy.Real("K", 0.2);
        double probes = policy.Real("M", 0.1);
        int reach = policy.Integer("RA", 256);
        bool fine = policy.CheckRatio("K", share) & policy.CheckRatio("M", probes) & policy.CheckNumber("RA", reach is >= 1 and <= 1_000_000, reach, "from 1 to 1000000");
        if (layers.Count == 0)
        {
            policy.Report(PlanProblemKind.PartialSavesNothing, null, -1, "it names no layer");
            return;
        }

        if (!fine)
        {
            return;
        }

        bool feeds = policy.Flag("FeedForward", true);
        bool attends = policy.Flag("Attention", true);
        var work = new PartialWork(
            attends ? VisualReach.Preceding : VisualReach.All,
            attends ? reach : 0,
            feeds ? NeuronChoice.Probed : NeuronChoice.All,
            feeds ? TokenShare.Nearest(policy.Geometry.Text.Intermediate, share) : 0,
            feeds ? Math.Max(1, (int)Math.Round(Math.Min(1 / probes, int.MaxValue), MidpointRounding.ToEven)) : 0);
        var seen = new HashSet<int>();
        for (int i = 0; i < layers.Count; i++)
        {
            if (seen.Add(layers[i]))
            {
                policy.DoLess(layers[i], Argument, i, work);
            }
            else
            {
                policy.Report(PlanProblemKind.LayersNotAscending, Argument, i, PlanText.Plain(layers[i]), PlanText.Plain(layers[i]));
            }
        }
    }
}
