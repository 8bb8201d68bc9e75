using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>Tower layers that run on fewer rows than there are visual tokens: a static matrix makes these rows in front of each layer, and behind it all tokens come back.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Layers">Zero-based tower layers, ascending.</param>
/// <param name="Rows">Rows that each of them runs on, besides the CLS row.</param>
/// <param name="Declaration">The policy as it was declared.</param>
public sealed record MergedTower(EquatableArray<int> Layers, int Rows, string Declaration)
{
    /// <summary>First of the layers.</summary>
    public int FirstLayer => Layers[0];

    /// <summary>Last of the layers.</summary>
    public int LastLayer => Layers[Layers.Count - 1];

    /// <summary>True if a layer runs so.</summary>
    /// <param name="layer">Zero-based tower layer.</param>
    public bool Has(int layer)
    {
        foreach (int merged in Layers)
        {
            if (merged == layer)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>A policy's wish that tower layers run on fewer rows.</summary>
internal sealed record TowerMerging(int Policy, string Declaration, EquatableArray<int> Layers, KeepRule Keep);

/// <summary>Which merged layers contradict the model or a reduction. Pure.</summary>
internal static class MergedTowerRules
{
    /// <summary>The layers of the first policy, if their count makes sense; reports the others, and reductions that need all layers whole.</summary>
    public static MergedTower? Resolve(IReadOnlyList<TowerMerging> wishes, List<VisionReduction> reductions, int visualTokens, List<PlanProblem> problems)
    {
        MergedTower? merged = null;
        foreach (TowerMerging wish in wishes)
        {
            int rows = wish.Keep.Of(visualTokens);
            if (merged is not null)
            {
                problems.Add(Twice(wish.Policy, wish.Declaration, wish.Layers[0], wish.Layers[wish.Layers.Count - 1], merged.Declaration));
            }
            else if (PlanRules.CheckKeep(wish.Policy, wish.Declaration, wish.Keep, VisionRules.Describe(Site.InsideTower), rows, visualTokens, previous: null) is { } problem)
            {
                problems.Add(problem);
            }
            else
            {
                merged = new MergedTower(wish.Layers, rows, wish.Declaration);
            }
        }

        return merged is null || Clashes(merged, reductions, problems) ? null : merged;
    }

    private static bool Clashes(MergedTower merged, List<VisionReduction> reductions, List<PlanProblem> problems)
    {
        bool clashes = false;
        foreach (VisionReduction reduction in reductions)
        {
            // The matrices are made for all tokens, and what scores the tower runs it whole.
            if (reduction.Tower is { } tower && tower.FirstLayer <= merged.LastLayer)
            {
                problems.Add(Twice(reduction.Policy, reduction.Declaration, tower.FirstLayer, merged.LastLayer, merged.Declaration));
                clashes = true;
            }
            else if (reduction.TowerScores is { } scores)
            {
                problems.Add(new PlanProblem(
                    PlanProblemKind.ScoresOfReducedLayers, reduction.Policy, Argument: null, -1,
                    EquatableArray.Of(reduction.Declaration, PlanText.Layers(scores.FirstLayer, scores.LastLayer), merged.Declaration, PlanText.Layers(merged.FirstLayer, merged.LastLayer))));
                clashes = true;
            }
        }

        return clashes;
    }

    private static PlanProblem Twice(int policy, string declaration, int first, int last, string other) =>
        new(PlanProblemKind.TowerReducedTwice, policy, Argument: null, -1, EquatableArray.Of(declaration, PlanText.Layers(first, last), other));
}
