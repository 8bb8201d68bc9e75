using System.Linq;

namespace Espalier.Planning;

/// <summary>The heads of YOPO (arXiv 2410.06169): in one layer visual tokens do without the listed query heads.</summary>
internal sealed class YopoHeadsMethod : PolicyMethod
{
    public override string Name => "YopoHeads";

    internal override void Lower(PolicyLowering policy)
    {
        const string Argument = "heads";
        EquatableArray<int> heads = policy.Layers(Argument);
        bool fine = heads.Count > 0;
        if (!fine)
        {
            policy.Report(PlanProblemKind.PartialSavesNothing, null, -1, "it names no head");
        }

        for (int i = 0; i < heads.Count; i++)
        {
            bool exists = heads[i] >= 0 && heads[i] < policy.Geometry.Text.Heads;
            if (!exists || heads.Take(i).Contains(heads[i]))
            {
                policy.Report(
                    PlanProblemKind.NumberOutOfRange, Argument, i, Argument, PlanText.Plain(heads[i]),
                    exists ? "written once" : "from 0 to " + PlanText.Plain(policy.Geometry.Text.Heads - 1));
                fine = false;
            }
        }

        if (fine)
        {
            policy.DoLess(policy.Integer("Layer", 0), policy.Has("Layer") ? "Layer" : null, -1, new PartialWork(DroppedHeads: heads.OrderBy(head => head).ToEquatableArray()));
        }
    }
}
