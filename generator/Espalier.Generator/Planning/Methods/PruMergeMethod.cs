using System;

namespace Espalier.Planning;

/// <summary>PruMerge and PruMerge+ (arXiv 2403.15388): patches whose CLS attention is an outlier stay, with "plus" evenly spaced ones too; each takes in its neighbours, and one token sums up the rest.</summary>
internal sealed class PruMergeMethod : PolicyMethod
{
    // The paper: 5.5 % of the tokens on average, and 25 % with the evenly spaced ones.
    private readonly double _typicalShare;
    private readonly bool _plus;

    public PruMergeMethod(bool plus)
    {
        _plus = plus;
        _typicalShare = plus ? 0.25 : 0.055;
    }

    public override string Name => _plus ? "PruMergePlus" : "PruMerge";

    internal override void Lower(PolicyLowering policy)
    {
        int neighbours = policy.Integer("Neighbours", 32);
        VisionGeometry vision = policy.Geometry.Vision;
        bool fine = policy.CheckNumber("Neighbours", neighbours is >= 1 and <= 1000, neighbours, "from 1 to 1000");
        if (policy.ClsAttention(0, Math.Max(0, vision.FeatureLayers - 1), argument: null) is null || !fine)
        {
            return;
        }

        policy.Reduce(
            Site.VisionOutput,
            KeepRule.FoundInTheImage(AtMost, tokens => TokenShare.Nearest(tokens, _typicalShare)),
            Score.FullWidthClsAttention,
            Compress.AddNeighbours,
            towerScores: new TowerScores(vision.Layers - 1, vision.Layers - 1, TowerAttention.FullWidthCls),
            kernel: tokens => new Kernel(Name, Scratch: 2 * tokens, EquatableArray.Of(new KernelArgument("neighbours", neighbours))));
    }

    /// <summary>Above the upper quartile lies about a quarter of the tokens; behind them stands one for the rest. With more than a sixth of outliers, evenly spaced tokens can be all there are.</summary>
    private int AtMost(int tokens)
    {
        int outliers = Math.Max(1, tokens - 1 - (int)Math.Floor(0.75 * (tokens - 1)));
        if (!_plus)
        {
            return Math.Min(tokens, outliers + 1);
        }

        int most = 1;
        for (int count = 1; count <= outliers; count++)
        {
            int distance = Math.Max(1, tokens / count / 3);
            most = Math.Max(most, count + ((tokens - 1 + distance - 1) / distance) + 1);
        }

        return Math.Min(tokens, most);
    }
}
