namespace Espalier.Planning;

/// <summary>FFN-SkipLLM (arXiv 2404.03865): in decode, a feed-forward layer that hardly turns its row lets those of the next layers be skipped.</summary>
internal sealed class FfnSkipLlmMethod : PolicyMethod
{
    public override string Name => "FfnSkipLlm";

    internal override void Lower(PolicyLowering policy)
    {
        int layers = policy.Geometry.Text.Layers;
        double tau = policy.Real("Tau", 0.98);
        int following = policy.Integer("K", 2);
        int coldFirst = policy.Integer("ColdFirst", 2);
        int coldLast = policy.Integer("ColdLast", 2);
        int warmUp = policy.Integer("WarmUp", 2);
        bool fine = policy.CheckNumber("Tau", tau is > -1 and <= 1, tau, "above -1 and up to 1");
        fine &= policy.CheckNumber("K", following is >= 1 and <= 1_000_000, following, "from 1 to 1000000");
        fine &= policy.CheckNumber("WarmUp", warmUp is >= 0 and <= 1_000_000, warmUp, "from 0 to 1000000");

        // One layer must run so that the next can be skipped.
        fine &= policy.CheckNumber("ColdFirst", coldFirst >= 0 && coldFirst <= layers - 2, coldFirst, "from 0 to " + PlanText.Plain(layers - 2) + ", so that two layers are left");
        if (fine && policy.CheckNumber("ColdLast", coldLast >= 0 && coldLast <= layers - 2 - coldFirst, coldLast, "from 0 to " + PlanText.Plain(layers - 2 - coldFirst) + ", so that two layers are left between the cold ones"))
        {
            policy.Skip(coldFirst, layers - 1 - coldLast, tau, following, warmUp);
        }
    }
}
