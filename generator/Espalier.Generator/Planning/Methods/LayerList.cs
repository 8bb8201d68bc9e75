using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>Lowers a list of layers, written as <c>(5, 6, 7)</c>, to one freeze a layer.</summary>
internal static class LayerList
{
    private const string Argument = "layers";

    public static void Lower(PolicyLowering policy, EquatableArray<int> layers, bool mayBeUnordered)
    {
        if (layers.Count == 0)
        {
            policy.Report(PlanProblemKind.NoLayers, null, -1);
            return;
        }

        var seen = new HashSet<int>();
        bool reported = false;
        for (int i = 0; i < layers.Count; i++)
        {
            bool isNew = seen.Add(layers[i]);
            bool descends = i > 0 && layers[i] <= layers[i - 1];
            if (!reported && (!isNew || (descends && !mayBeUnordered)))
            {
                policy.Report(PlanProblemKind.LayersNotAscending, Argument, i, PlanText.Plain(layers[i]), PlanText.Plain(descends ? layers[i - 1] : layers[i]));
                reported = true;
            }

            if (isNew)
            {
                policy.Freeze(layers[i], Argument, i);
            }
        }
    }
}
