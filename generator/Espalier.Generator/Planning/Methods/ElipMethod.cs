using System;

namespace Espalier.Planning;

/// <summary>ELIP (arXiv 2309.16738), its parameter-free part: before some tower layers the patches stay that the CLS token attends to a few layers ahead; the others become one token.</summary>
internal sealed class ElipMethod : PolicyMethod
{
    private const string Layers = "layers";
    private const string Ratios = "Ratios";

    public override string Name => "Elip";

    internal override void Lower(PolicyLowering policy)
    {
        EquatableArray<int> places = policy.Has(Layers) ? policy.Layers(Layers) : EquatableArray.Of(2, 4, 10);
        EquatableArray<double> ratios = policy.Has(Ratios) ? policy.Numbers(Ratios) : EquatableArray.Of(0.9, 0.65, 0.4);
        int most = policy.Integer("LookAhead", 0);
        VisionGeometry vision = policy.Geometry.Vision;
        bool fine = policy.CheckNumber("LookAhead", most is >= 0 and <= 1000, most, "from 1 to 1000, or 0 for all layers up to the next place");
        if (policy.ClsAttention(0, vision.FeatureLayers - 1, argument: null, need: "the attention that the CLS token pays to the patches some layers ahead") is null
            || !fine || !policy.CheckTowerLayers(Layers, places) || Schedule(policy, places, ratios, vision.FeatureLayers) is not { } leaving)
        {
            return;
        }

        var ahead = new int[leaving.Length];
        for (int i = 0; i < places.Count; i++)
        {
            int layers = (i + 1 < places.Count ? places[i + 1] : vision.FeatureLayers) - places[i];
            ahead[places[i] - places[0]] = most == 0 ? layers : Math.Min(most, vision.FeatureLayers - places[i]);
        }

        policy.ReduceInTower(
            policy.Has(Ratios) ? Ratios : null,
            new TowerReduction(places[0], new EquatableArray<int>(leaving), TowerReads.None, IsProportional: false, new EquatableArray<int>(ahead)),
            Score.ClsAttentionAhead,
            _ => new Kernel(Name, Scratch: 0, default));
    }

    /// <summary>The tokens that leave before each layer from the first place to the last that runs; null, and a report, if a ratio lets none leave.</summary>
    private static int[]? Schedule(PolicyLowering policy, EquatableArray<int> places, EquatableArray<double> ratios, int layers)
    {
        if (ratios.Count != places.Count)
        {
            policy.CheckNumber(Ratios, isFine: false, ratios.Count, "as many numbers as there are layers, " + PlanText.Plain(places.Count));
            return null;
        }

        var leaving = new int[layers - places[0]];
        int all = policy.Geometry.VisualTokens;
        int there = all;
        for (int i = 0; i < ratios.Count; i++)
        {
            // In the authors' code too, the product is cut to an integer.
            int left = ratios[i] is > 0 and < 1 ? (int)(all * ratios[i]) + 1 : 0;
            string requirement = "above 0 and below 1, and leave fewer than the " + PlanText.Count(there) + " tokens that are there, with one for all others";
            if (!policy.CheckNumber(Ratios, left > 1 && left < there, ratios[i], requirement, i))
            {
                return null;
            }

            leaving[places[i] - places[0]] = there - left;
            there = left;
        }

        return leaving;
    }
}
