using System;

namespace Espalier.Planning;

/// <summary>VTC-CLS (arXiv 2412.05819): the patches with the most CLS attention, added up over tower layers, stay.</summary>
internal sealed class VtcClsMethod : PolicyMethod
{
    public override string Name => "VtcCls";

    internal override void Lower(PolicyLowering policy)
    {
        // The code sums attentions[start:-1]: the last layer of the tower is left out even where the features come from it.
        VisionGeometry vision = policy.Geometry.Vision;
        TowerScores? scores = policy.ClsAttention(policy.Integer("Layer", 16), Math.Min(vision.FeatureLayers, vision.Layers - 1) - 1, "Layer");
        if (scores is not null)
        {
            policy.Reduce(
                Site.VisionOutput,
                new KeepRule(policy.Has("Keep") ? "Keep" : null, policy.Integer("Keep", 0), Share: null),
                Score.ClsAttention,
                towerScores: scores);
        }
    }
}
