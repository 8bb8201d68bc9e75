using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>The meaning of the policies, told a second time and as plainly as possible.</summary>
internal static class PlannerTwin
{
    public static int VisualTokensBeforeTheDecoder(Declared declared)
    {
        int visual = declared.Geometry.VisualTokens;
        foreach (string name in (string[])["FiCoCoV", "ToMe", "Elip", "VisionZip", "VtcCls", "SparsityMeetsSimilarity", "PruMerge", "PruMergePlus", "RecoverableCompression", "FoPru", "DivPrune", "GPrune", "CDPruner", "Aim"])
        {
            if (declared.Policies.SingleOrDefault(policy => policy.Name == name) is { } policy)
            {
                visual = policy.Arguments[0] switch
                {
                    IntegerArgument { Name: "R" } r when name == "FiCoCoV" => visual - ((5 - Start(policy)) * r.Value),
                    IntegerArgument { Name: "R" } r => BehindToMe(visual, r.Value, ((RealArgument)policy.Arguments[1]).Value),
                    NumbersArgument { Name: "Ratios" } ratios => 1 + (int)(visual * ratios.Values[^1]),
                    IntegerArgument { Name: "Dominant" } dominant => dominant.Value + ((IntegerArgument)policy.Arguments[1]).Value,
                    IntegerArgument { Name: "Keep" } keep => keep.Value,
                    IntegerArgument { Name: "Halvings" } halvings => (int)Math.Ceiling(visual / Math.Pow(2, halvings.Value)),
                    RealArgument { Name: "Ratio" } ratio => (int)Math.Round(visual * ratio.Value, MidpointRounding.ToEven),
                    RealArgument { Name: "KeepRatio" } ratio when name == "FoPru" => FoPru(visual, ratio.Value, ((ChoiceArgument)policy.Arguments[1]).Member),
                    RealArgument { Name: "KeepRatio" } ratio => (int)(visual * ratio.Value),
                    IntegerArgument { Name: "Neighbours" } when name == "RecoverableCompression" => visual,
                    IntegerArgument { Name: "Neighbours" } => MostOutliers(visual, name == "PruMergePlus"),
                    RealArgument { Name: "AtMost" } most => Math.Max(1, (int)(visual * most.Value)),
                    var other => throw new InvalidOperationException(other.ToString()),
                };
            }
        }

        return visual;
    }

    private static int Start(PolicyDeclaration policy) => ((IntegerArgument)policy.Arguments[1]).Value is var start && start == -1 ? 3 : start;

    // Five of the six tower layers run.
    private static int BehindToMe(int visual, int r, double inflection)
    {
        int first = (int)(r * (1 - inflection));
        for (int layer = 0; layer < 5; layer++)
        {
            visual -= Math.Min(visual / 2, (int)(first + (layer * ((2.0 * r) - first - first) / 4)));
        }

        return visual;
    }

    private static int FoPru(int visual, double ratio, string strategy)
    {
        int side = (int)Math.Sqrt(visual);
        return strategy == "Rank" ? (int)Math.Round(visual * ratio, MidpointRounding.ToEven) : side * Math.Max(1, (int)Math.Round(side * ratio, MidpointRounding.ToEven));
    }

    // Of n different scores those above the upper quartile, and one token more; with "plus" for each number of them the evenly spaced ones too.
    private static int MostOutliers(int visual, bool plus)
    {
        int above = Math.Max(1, Enumerable.Range(0, visual).Count(i => i > 0.75 * (visual - 1)));
        return Math.Min(visual, plus
            ? Enumerable.Range(1, above).Max(count => count + Enumerable.Range(0, visual - 1).Count(i => i % Math.Max(1, visual / count / 3) == 0) + 1)
            : above + 1);
    }

    public static int VisualTokensAt(Declared declared, int layer, int before)
    {
        if (declared.Policies.SingleOrDefault(policy => policy.Name == "FiCoCoL") is { } inside && layer > ((IntegerArgument)inside.Arguments[1]).Value)
        {
            before -= ((IntegerArgument)inside.Arguments[0]).Value;
        }

        foreach (PolicyDeclaration policy in declared.Policies)
        {
            int Number(string name) => ((IntegerArgument)policy.Arguments.Single(argument => argument.Name == name)).Value;
            double Real(string name) => ((RealArgument)policy.Arguments.Single(argument => argument.Name == name)).Value;
            int[] List(string name) => [.. ((LayersArgument)policy.Arguments.Single(argument => argument.Name == name)).Layers];
            bool Has(string name) => policy.Arguments.Any(argument => argument.Name == name);
            switch (policy.Name)
            {
                case "PruneVisual" or "MergeVisual" or "RandomPrune" when Number("AfterLayer") + 1 == layer:
                    return Has("Keep") ? Number("Keep") : (int)Math.Round(before * Real("KeepRatio"), MidpointRounding.ToEven);
                case "PyramidDrop" when layer > 0 && layer % (declared.Geometry.Text.Layers / Number("S")) == 0 && layer / (declared.Geometry.Text.Layers / Number("S")) < Number("S"):
                    return (int)(VisualTokensBeforeTheDecoder(declared) * Math.Pow(Real("Lambda"), layer / (declared.Geometry.Text.Layers / Number("S"))));
                case "SparseVlm" or "SparseVlmPlus" when Has("Keep") && List("Layers").Contains(layer - 1):
                    int keep = List("Keep")[Array.IndexOf(List("Layers"), layer - 1)];
                    return policy.Name == "SparseVlmPlus" || Real("Tau") == 0 ? keep : keep + (Math.Min(before - keep, (int)((before - keep) * Real("Tau")) + 1) / 10) + 1;
                case "FastV" when Number("K") == layer:
                    return (int)Math.Round(before * (1 - Real("R")), MidpointRounding.ToEven);
                case "Dart" when Number("K") == layer:
                    return Math.Min(before, 2 + ((int)(before * (1 - Real("R")) / 5) * 5));
                case "Aim" when layer > Number("L1") + 1:
                    return Math.Max(0, VisualTokensBeforeTheDecoder(declared) * (Number("L2") - layer + 1) / (Number("L2") - Number("L1"))) is var left && left < before ? left : before;
                case "ExitVisual" when Number("AfterLayer") + 1 == layer:
                case "Vtw" or "Victor" when Number("K") == layer:
                    return 0;
            }
        }

        return before;
    }

    public static bool IsFrozen(Declared declared, int layer) => declared.Policies.Any(policy => policy.Name is "FreezeVisual" or "ShortV" && policy.Arguments.Any(argument => argument switch
    {
        LayersArgument { IsNamed: false } list => list.Layers.Contains(layer),
        IntegerArgument { Name: "FirstLayer" } first => first.Value <= layer && layer <= policy.Arguments.OfType<IntegerArgument>().Single(other => other.Name == "LastLayer").Value,
        _ => false,
    }));
}
