using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>What <see cref="Planner"/> found: a plan, or the reasons why there is none.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Plan">The plan; null if a problem is fatal.</param>
/// <param name="Problems">Everything that is wrong, ordered by policy.</param>
public sealed record PlanResult(ReductionPlan? Plan, EquatableArray<PlanProblem> Problems);

/// <summary>Lowers policies to reductions before the decoder, prunes, freezes and an exit, checks them against the model and each other, and cuts the layers into segments.</summary>
/// <remarks>Pure and deterministic: the order of the policies has no influence on the plan. Stateless, thread-safe.</remarks>
public static class Planner
{
    /// <summary>Plans a model's layers.</summary>
    /// <param name="geometry">The model.</param>
    /// <param name="policies">The policies, in any order; problems refer to them by index.</param>
    /// <exception cref="ArgumentException">A policy has a name that <see cref="PolicyMethods"/> does not know.</exception>
    public static PlanResult Plan(ModelGeometry geometry, IReadOnlyList<PolicyDeclaration> policies)
    {
        _ = geometry ?? throw new ArgumentNullException(nameof(geometry));
        _ = policies ?? throw new ArgumentNullException(nameof(policies));
        var prunes = new List<Prune>();
        var reductions = new List<VisionReduction>();
        var mergings = new List<TowerMerging>();
        var exits = new List<Exit>();
        var freezes = new List<Freeze>();
        var gates = new List<Gate>();
        var skips = new List<DecodeWish<FeedForwardSkips>>();
        var partials = new List<Partial>();
        var evictions = new List<DecodeWish<TextEviction>>();
        var problems = new List<PlanProblem>();
        for (int i = 0; i < policies.Count; i++)
        {
            PolicyMethod method = PolicyMethods.Find(policies[i].Name)
                ?? throw new ArgumentException("There is no policy '" + policies[i].Name + "'; there are " + string.Join(", ", PolicyMethods.Names) + ".", nameof(policies));
            var lowering = new PolicyLowering(policies[i], i, geometry);
            method.Lower(lowering);
            prunes.AddRange(lowering.Prunes);
            reductions.AddRange(lowering.VisionReductions);
            mergings.AddRange(lowering.TowerMergings);
            exits.AddRange(lowering.Exits);
            freezes.AddRange(lowering.Freezes);
            gates.AddRange(lowering.Gates);
            skips.AddRange(lowering.Skips);
            partials.AddRange(lowering.Partials);
            evictions.AddRange(lowering.Evictions);
            problems.AddRange(lowering.Problems);
        }

        int layers = geometry.Text.Layers;
        prunes.RemoveAll(prune => !PlanRules.CheckBoundary(prune.Policy, prune.Declaration, prune.Boundary, prune.Ranking, layers, problems));
        exits.RemoveAll(exit => !PlanRules.CheckBoundary(exit.Policy, exit.Declaration, exit.Boundary, ranking: null, layers, problems));
        Exit? exit = PlanRules.ChooseExit(exits, problems);
        IReadOnlyList<Prune> ordered = PlanRules.CheckPrunes(prunes, exit, problems);
        IReadOnlyList<Freeze> frozen = PlanRules.CheckRanking(PlanRules.CheckMerging(PlanRules.CheckFreezes(freezes, exit, layers, problems), ordered, problems), ordered, problems);
        MergedTower? merged = MergedTowerRules.Resolve(mergings, reductions, geometry.VisualTokens, problems);
        List<Step> steps = VisionRules.Resolve(reductions, geometry.VisualTokens, problems);
        PlanRules.ResolveCounts(ordered, geometry.VisualTokens, steps, problems);
        IReadOnlyDictionary<int, PartialWork> partial = PartialRules.Resolve(partials, geometry, steps, frozen, exit, problems);
        ExitGates? placed = GateRules.Resolve(gates, steps, exit, frozen, layers, problems);
        if (exit is not null)
        {
            int before = steps.Count > 0 ? steps[steps.Count - 1].TokensAfter : geometry.VisualTokens;
            PlanRules.CheckRegisters(exit, before, layers, problems);
            steps.Add(new Step(
                (int)exit.Boundary.AfterLayer, Score.None, exit.Registers > 0 ? Compress.Summarise : Compress.Drop, before, TokensAfter: 0, exit.Declaration, Registers: exit.Registers));
        }

        FeedForwardSkips? skipped = DecodeRules.Choose(skips, "skips feed-forward layers", problems);
        TextEviction? evicted = DecodeRules.Choose(evictions, "lets text leave the KV caches", problems);
        EquatableArray<PlanProblem> found = problems.OrderBy(problem => problem.Policy).ThenBy(problem => problem.Kind).ThenBy(problem => problem.Element).ToEquatableArray();
        return new PlanResult(
            problems.Exists(problem => problem.IsFatal) ? null : new ReductionPlan(geometry, Cut(geometry, steps, frozen, partial), steps, placed, skipped, merged, evicted),
            found);
    }

    /// <summary>Cuts the layers wherever the mode changes or a step lies.</summary>
    private static List<Segment> Cut(ModelGeometry geometry, List<Step> steps, IReadOnlyList<Freeze> frozen, IReadOnlyDictionary<int, PartialWork> partial)
    {
        var segments = new List<Segment>();
        var frozenLayers = new HashSet<int>(frozen.Select(freeze => freeze.Layer));
        int visual = geometry.VisualTokens;
        int step = 0;
        for (int layer = 0; layer < geometry.Text.Layers; layer++)
        {
            // Steps on the vision side lie before layer 0, and there may be several. A step that decides by the image may leave the count as it is.
            bool reduced = false;
            while (step < steps.Count && steps[step].AfterLayer == layer - 1)
            {
                visual = steps[step++].TokensAfter;
                reduced = true;
            }

            _ = partial.TryGetValue(layer, out PartialWork? work);
            LayerMode mode = frozenLayers.Contains(layer) ? LayerMode.Frozen
                : work is not null ? LayerMode.Partial
                : step < steps.Count && steps[step].IsInsideLayer && steps[step].AfterLayer == layer ? LayerMode.Merging : LayerMode.Dense;
            Segment? last = segments.Count > 0 ? segments[segments.Count - 1] : null;
            if (last is not null && last.Mode == mode && Equals(last.Partial, work) && !reduced)
            {
                segments[segments.Count - 1] = last with { LastLayer = layer };
            }
            else
            {
                segments.Add(new Segment(layer, layer, mode, visual, work));
            }
        }

        return segments;
    }
}
