using System;

namespace Espalier.Planning;

/// <summary>FoPru (arXiv 2411.14164): the patches, or the whole rows of patches, that receive most attention inside the tower stay.</summary>
internal sealed class FoPruMethod : PolicyMethod
{
    public override string Name => "FoPru";

    internal override void Lower(PolicyLowering policy)
    {
        string strategy = policy.Choice("Strategy", "Rank");
        string significance = policy.Choice("Significance", "Received");
        bool fine = policy.CheckChoice("Strategy", strategy, "FoPruStrategy", "Rank", "Row");
        fine &= policy.CheckChoice("Significance", significance, "PatchSignificance", "Received", "ClsAttention");
        VisionGeometry vision = policy.Geometry.Vision;
        int layer = vision.FeatureLayers - 1;
        TowerScores? scores = significance == "ClsAttention" ? policy.ClsAttention(layer, layer, argument: null) : policy.Received(layer);
        if (policy.Keep() is not { } keep || !fine || scores is null)
        {
            return;
        }

        Score score = significance == "ClsAttention" ? Score.ClsAttention : Score.ReceivedAttention;
        if (strategy == "Rank")
        {
            policy.Reduce(Site.VisionOutput, keep, score, towerScores: scores);
            return;
        }

        int side = vision.ImageSize / vision.PatchSize;
        if (keep.Tokens is { } tokens && !policy.CheckNumber("Keep", tokens % side == 0, tokens, "a multiple of the " + PlanText.Plain(side) + " patches in a row"))
        {
            return;
        }

        int rows = keep.Tokens / side ?? TokenShare.Nearest(side, keep.Share!.Value);
        policy.Reduce(
            Site.VisionOutput,
            new KeepRule(keep.Argument, rows * side, Share: null),
            score,
            towerScores: scores,
            kernel: _ => new Kernel(Name, Scratch: side, EquatableArray.Of(new KernelArgument("side", side)), KernelInputs.ClsAttention));
    }
}
