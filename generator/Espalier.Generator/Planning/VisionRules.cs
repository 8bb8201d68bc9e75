using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>Which reductions on the vision side contradict the model or each other. Pure.</summary>
internal static class VisionRules
{
    /// <summary>Orders the reductions by site and turns them into steps; reports a second one at a site and the counts that make no sense.</summary>
    public static List<Step> Resolve(IReadOnlyList<VisionReduction> reductions, int visualTokens, List<PlanProblem> problems)
    {
        var steps = new List<Step>();
        foreach (IGrouping<Site, VisionReduction> site in reductions.OrderBy(reduction => reduction.Site).ThenBy(reduction => reduction.Policy).GroupBy(reduction => reduction.Site))
        {
            VisionReduction first = site.First();
            foreach (VisionReduction second in site.Skip(1))
            {
                problems.Add(new PlanProblem(
                    PlanProblemKind.SecondStepAtSite, second.Policy, Argument: null, -1,
                    EquatableArray.Of(second.Declaration, Describe(second.Site), first.Declaration)));
            }

            Tokens before = Tokens.Behind(steps, visualTokens);
            (int keep, RunTimeCount? count) = first.Keep.Of(before, before);
            if (PlanRules.CheckKeep(first.Policy, first.Declaration, first.Keep, Describe(first.Site), keep, before.Count, steps.LastOrDefault()) is { } problem)
            {
                problems.Add(problem);
                continue;
            }

            steps.Add(new Step(
                AfterLayer: -1, first.Score, first.Compress, before.Count, keep, first.Declaration,
                Site: first.Site, Positions: first.Positions, TowerScores: first.TowerScores, Kernel: first.Kernel?.Invoke(before.Count), Count: count));
        }

        return steps;
    }

    /// <summary>A site of the vision side as messages name it.</summary>
    public static string Describe(Site site) => site switch
    {
        Site.VisionOutput => "at the output of the vision tower",
        Site.Projected => "behind the projector",
        _ => throw new ArgumentOutOfRangeException(nameof(site), site, "The site is not on the vision side."),
    };
}
