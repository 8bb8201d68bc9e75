namespace Espalier.Planning;

/// <summary>Recoverable Compression (arXiv 2409.01179): patches that the CLS token attends to stay, those that the text asks for are recovered, the others go into a few of them and into one more token.</summary>
internal sealed class RecoverableCompressionMethod : PolicyMethod
{
    // The paper: about 10 % of the tokens, training-free.
    private const double TypicalShare = 0.1;

    public override string Name => "RecoverableCompression";

    internal override void Lower(PolicyLowering policy)
    {
        string cut = policy.Choice("Cut", "LocalOutlier");
        int window = policy.Integer("Window", 9);
        int neighbours = policy.Integer("Neighbours", 32);
        double weight = policy.Real("TextWeight", 50);
        VisionGeometry vision = policy.Geometry.Vision;
        bool fine = policy.CheckChoice("Cut", cut, "InflectionCut", "Chord", "SecondDifference", "MaxDerivative", "LocalOutlier");
        fine &= policy.CheckNumber("Window", window is >= 1 and <= 99 && window % 2 == 1, window, "an odd number from 1 to 99");
        fine &= policy.CheckNumber("Neighbours", neighbours is >= 1 and <= 1000, neighbours, "from 1 to 1000");
        fine &= policy.CheckNumber("TextWeight", weight is >= 0 and <= 1_000_000, weight, "from 0 to 1000000");
        if (policy.ClsAttention(0, System.Math.Max(0, vision.FeatureLayers - 1), argument: null) is null || !fine)
        {
            return;
        }

        policy.Reduce(
            Site.VisionOutput,
            KeepRule.FoundInTheImage(tokens => tokens, tokens => TokenShare.Nearest(tokens, TypicalShare)),
            Score.AttentionAndText,
            Compress.AddNeighbours,
            towerScores: new TowerScores(vision.Layers - 1, vision.Layers - 1, TowerAttention.FullWidthCls),
            kernel: tokens => new Kernel(
                Name,
                Scratch: 7 * tokens,
                EquatableArray.Of(
                    new KernelArgument("cut", 0, "InflectionCut." + cut),
                    new KernelArgument("window", window),
                    new KernelArgument("neighbours", neighbours),
                    new KernelArgument("textWeight", weight)),
                KernelInputs.ClsAttention | KernelInputs.Keys | KernelInputs.TextScores));
    }
}
