namespace Espalier.Planning;

/// <summary>The primitive <c>FreezeVisual</c>: visual tokens are read but not updated in the listed layers or in a range of them.</summary>
internal sealed class FreezeVisualMethod : PolicyMethod
{
    public override string Name => "FreezeVisual";

    internal override void Lower(PolicyLowering policy)
    {
        EquatableArray<int> layers = policy.Layers("layers");
        bool first = policy.Has("FirstLayer");
        bool last = policy.Has("LastLayer");
        if (!first && !last)
        {
            LayerList.Lower(policy, layers, mayBeUnordered: false);
            return;
        }

        if (layers.Count > 0)
        {
            policy.Report(PlanProblemKind.RangeUnclear, first ? "FirstLayer" : "LastLayer", -1, "it has a list and a range");
            return;
        }

        if (first != last)
        {
            policy.Report(PlanProblemKind.RangeUnclear, first ? "FirstLayer" : "LastLayer", -1, first ? "LastLayer is missing" : "FirstLayer is missing");
            return;
        }

        int from = policy.Integer("FirstLayer", 0);
        int to = policy.Integer("LastLayer", 0);
        if (from > to)
        {
            policy.Report(PlanProblemKind.RangeUnclear, "LastLayer", -1, "the range ends before it begins");
            return;
        }

        // Ends outside the model are reported once each; walking from one to the other could take forever.
        int layersOfModel = policy.Geometry.Text.Layers;
        if (from < 0 || to >= layersOfModel)
        {
            if (from < 0 || from >= layersOfModel)
            {
                policy.Freeze(from, "FirstLayer", -1);
            }

            if (to < 0 || to >= layersOfModel)
            {
                policy.Freeze(to, "LastLayer", -1);
            }

            return;
        }

        for (int layer = from; layer <= to; layer++)
        {
            policy.Freeze(layer, layer == from ? "FirstLayer" : "LastLayer", -1);
        }
    }
}
