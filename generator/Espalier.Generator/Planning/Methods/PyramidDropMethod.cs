using System;

namespace Espalier.Planning;

/// <summary>PyramidDrop (arXiv 2410.17247): the layers form S stages of equal length; each hands on the share λ of its visual tokens.</summary>
internal sealed class PyramidDropMethod : PolicyMethod
{
    public override string Name => "PyramidDrop";

    internal override void Lower(PolicyLowering policy)
    {
        double share = policy.Real("Lambda", 0.5);
        int stages = policy.Integer("S", 4);
        int layers = policy.Geometry.Text.Layers;
        bool isShare = policy.CheckRatio("Lambda", share);
        if (stages < 2 || stages > layers)
        {
            int? nearest = layers < 2 ? null : stages < 2 ? 2 : layers;
            policy.Report(PlanProblemKind.StagesOutOfRange, "S", nearest, PlanText.Plain(stages), PlanText.Plain(layers));
            return;
        }

        for (int stage = 1; isShare && stage < stages; stage++)
        {
            // The remainder of L / S goes to the last stage: the published figures for 3 and 5 stages of 32 layers come out so.
            // The count is a share of what enters the decoder, int(N λ^s), not of what the boundary finds.
            policy.Prune(
                new Boundary("S", stage * (layers / stages), NamesNextLayer: true),
                new KeepRule("Lambda", Tokens: null, Math.Pow(share, stage), Truncates: true, IsOfEntering: true),
                new Ranking(Score.NextLayerAttention),
                Positions.Renumber);
        }
    }
}
