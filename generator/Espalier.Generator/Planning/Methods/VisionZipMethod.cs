namespace Espalier.Planning;

/// <summary>VisionZip (arXiv 2412.04467): the patches with the most CLS attention stay, and the CLS token with them; the others are averaged into evenly spaced ones by the similarity of their keys.</summary>
internal sealed class VisionZipMethod : PolicyMethod
{
    public override string Name => "VisionZip";

    internal override void Lower(PolicyLowering policy)
    {
        int dominant = policy.Integer("Dominant", 191);
        int contextual = policy.Integer("Contextual", 30);
        int layer = policy.Geometry.Vision.FeatureLayers - 1;
        bool numbers = policy.CheckNumber("Dominant", dominant is >= 1 and <= 1_000_000, dominant, "from 1 to 1000000");
        numbers &= policy.CheckNumber("Contextual", contextual is >= 0 and <= 1_000_000, contextual, "from 0 to 1000000");
        TowerScores? scores = policy.Geometry.Vision.HasCls ? policy.ClsAttention(layer, layer, argument: null) : policy.Received(layer);
        if (!numbers || scores is null)
        {
            return;
        }

        string? argument = policy.Has("Dominant") ? "Dominant" : policy.Has("Contextual") ? "Contextual" : null;
        policy.Reduce(
            Site.VisionOutput,
            new KeepRule(argument, dominant + contextual, Share: null),
            policy.Geometry.Vision.HasCls ? Score.ClsAttention : Score.ReceivedAttention,
            Compress.MergeIntoTargets,
            towerScores: scores,
            kernel: _ => new Kernel(Name, Scratch: 0, EquatableArray.Of(new KernelArgument("contextual", contextual))));
    }
}
