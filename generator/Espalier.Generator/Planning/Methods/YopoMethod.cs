namespace Espalier.Planning;

/// <summary>YOPO (arXiv 2410.06169): visual tokens attend to their neighbours, use the first neurons of the feed-forward layers, and leave before layer LayerCut.</summary>
internal sealed class YopoMethod : PolicyMethod
{
    public override string Name => "Yopo";

    internal override void Lower(PolicyLowering policy)
    {
        TextGeometry text = policy.Geometry.Text;
        int window = policy.Integer("W", 5);
        int ratio = policy.Integer("Ratio", 2);
        int first = policy.Integer("FirstLayer", 0);
        bool fine = policy.CheckNumber("W", window is >= 0 and < 10_000 && (window == 0 || window % 2 == 1), window, "0, or an odd number below 10000");
        fine &= policy.CheckNumber("Ratio", ratio >= 1 && ratio <= text.Intermediate, ratio, "from 1 to " + PlanText.Plain(text.Intermediate));
        fine &= policy.CheckNumber("FirstLayer", first >= 0 && first < text.Layers, first, "from 0 to " + PlanText.Plain(text.Layers - 1));
        bool cuts = policy.Has("LayerCut");
        int cut = policy.Integer("LayerCut", 0);
        fine &= policy.CheckNumber("LayerCut", !cuts || cut > first, cut, "above FirstLayer");
        if (!fine)
        {
            return;
        }

        // Behind the cut no row reads visual ones any more, so what they would become is not computed.
        if (cuts)
        {
            policy.Exit(new Boundary("LayerCut", cut, NamesNextLayer: true));
        }

        if (window > 0 || ratio > 1 || !cuts)
        {
            policy.DoLessFrom(first, new PartialWork(
                window == 0 ? VisualReach.All : policy.Flag("Causal", true) ? VisualReach.Neighbours : VisualReach.NeighboursAround,
                window == 0 ? 0 : (window - 1) / 2,
                ratio == 1 ? NeuronChoice.All : NeuronChoice.First,
                ratio == 1 ? 0 : text.Intermediate / ratio));
        }
    }
}
