using System;
using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>Which reductions on the vision side contradict the model or each other. Pure.</summary>
internal static class VisionRules
{
    /// <summary>Orders the reductions by site and turns them into steps; reports a second one at a site and the counts that make no sense.</summary>
    public static List<Step> Resolve(IReadOnlyList<VisionReduction> reductions, int visualTokens, List<PlanProblem> problems)
    {
        var ordered = new List<VisionReduction>(reductions);
        ordered.Sort(InOrder);
        var steps = new List<Step>();
        VisionReduction? previous = null;
        VisionReduction? deepest = null;
        foreach (VisionReduction reduction in ordered)
        {
            if (previous is not null && Clash(reduction, previous) is { } clash)
            {
                problems.Add(clash);
                continue;
            }

            previous = reduction;
            deepest = reduction.Tower is null ? deepest : reduction;
            if (reduction.TowerScores is { } scores && deepest is { Tower: { } tower } && (tower.LastLayer >= scores.FirstLayer || scores.Attention == TowerAttention.FullWidthCls))
            {
                problems.Add(new PlanProblem(
                    PlanProblemKind.ScoresOfReducedLayers, reduction.Policy, Argument: null, -1,
                    EquatableArray.Of(reduction.Declaration, PlanText.Layers(scores.FirstLayer, scores.LastLayer), deepest.Declaration, PlanText.Layers(tower.FirstLayer, tower.LastLayer))));
                continue;
            }

            Tokens before = Tokens.Behind(steps, visualTokens);
            (int keep, RunTimeCount? count) = reduction.KeepOf(before);
            if (PlanRules.CheckKeep(reduction.Policy, reduction.Declaration, reduction.Keep, Describe(reduction.Site), keep, before.Count, steps.Count > 0 ? steps[steps.Count - 1] : null) is { } problem)
            {
                problems.Add(problem);
                continue;
            }

            steps.Add(new Step(
                AfterLayer: -1, reduction.Score, reduction.Compress, before.Count, keep, reduction.Declaration,
                Site: reduction.Site, Positions: reduction.Positions, TowerScores: reduction.TowerScores, Kernel: reduction.Kernel?.Invoke(before.Count), Count: count, Tower: reduction.Tower));
        }

        return steps;
    }

    /// <summary>A site of the vision side as messages name it.</summary>
    public static string Describe(Site site) => site switch
    {
        Site.InsideTower => "inside the vision tower",
        Site.VisionOutput => "at the output of the vision tower",
        Site.Projected => "behind the projector",
        _ => throw new ArgumentOutOfRangeException(nameof(site), site, "The site is not on the vision side."),
    };

    private static int InOrder(VisionReduction one, VisionReduction other)
    {
        int order = (int)one.Site - (int)other.Site;
        order = order != 0 ? order : (one.Tower?.FirstLayer ?? 0) - (other.Tower?.FirstLayer ?? 0);
        return order != 0 ? order : one.Policy - other.Policy;
    }

    /// <summary>What is wrong with two reductions that follow each other: outside the tower a site has one, inside of it a layer has.</summary>
    private static PlanProblem? Clash(VisionReduction reduction, VisionReduction previous)
    {
        if (reduction.Site != previous.Site)
        {
            return null;
        }

        if (reduction.Tower is not { } tower)
        {
            return new PlanProblem(
                PlanProblemKind.SecondStepAtSite, reduction.Policy, Argument: null, -1,
                EquatableArray.Of(reduction.Declaration, Describe(reduction.Site), previous.Declaration));
        }

        int last = Math.Min(tower.LastLayer, previous.Tower!.LastLayer);
        return tower.FirstLayer > last
            ? null
            : new PlanProblem(
                PlanProblemKind.TowerReducedTwice, reduction.Policy, Argument: null, -1,
                EquatableArray.Of(reduction.Declaration, PlanText.Layers(tower.FirstLayer, last), previous.Declaration));
    }
}
