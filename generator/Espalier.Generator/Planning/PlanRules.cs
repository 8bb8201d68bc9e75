using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>Which primitives contradict the model or each other. Pure; the compiler's analyzers, the generator and the tools all ask here.</summary>
internal static class PlanRules
{
    /// <summary>Checks where the boundaries lie and reports those that no reduction can have.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="declaration">The policy as declared.</param>
    /// <param name="boundary">The boundary.</param>
    /// <param name="ranking">What decides who stays; null if all leave.</param>
    /// <param name="layers">Decoder layers of the model.</param>
    /// <param name="problems">Receives what is wrong.</param>
    public static bool CheckBoundary(int policy, string declaration, Boundary boundary, Ranking? ranking, int layers, List<PlanProblem> problems)
    {
        // Before layer 0 a prune is possible if its score needs no layer; an exit there would leave a model that never sees the image.
        int first = ranking is { NeedsLayerBefore: false } ? -1 : 0;
        if (ranking is { NeedsLayerBefore: true } && boundary.AfterLayer < 0)
        {
            problems.Add(new PlanProblem(
                PlanProblemKind.NoLayerBeforePrune, policy, boundary.Argument, boundary.Element, EquatableArray.Of(declaration, boundary.ToString()), layers > 1 ? boundary.Naming(0) : null));
            return false;
        }

        if (boundary.AfterLayer == layers - 1)
        {
            problems.Add(new PlanProblem(
                PlanProblemKind.NoLayerAfterReduction, policy, boundary.Argument, boundary.Element, EquatableArray.Of(declaration, boundary.ToString(), PlanText.Plain(layers - 1))));
            return false;
        }

        if (boundary.AfterLayer < first || boundary.AfterLayer >= layers)
        {
            int? nearest = layers - 2 >= first ? boundary.Naming(boundary.AfterLayer < first ? first : layers - 2) : null;
            problems.Add(new PlanProblem(
                PlanProblemKind.LayerOutOfRange, policy, boundary.Argument, boundary.Element,
                EquatableArray.Of(declaration, "the boundary " + boundary, PlanText.Plain(layers - 1)), nearest));
            return false;
        }

        return true;
    }

    /// <summary>Of several exits, the first in the order of layers counts; the others are reported.</summary>
    public static Exit? ChooseExit(IReadOnlyList<Exit> exits, List<PlanProblem> problems)
    {
        Exit? first = null;
        foreach (Exit exit in exits.OrderBy(exit => exit.Boundary.AfterLayer).ThenBy(exit => exit.Policy))
        {
            if (first is null)
            {
                first = exit;
                continue;
            }

            problems.Add(new PlanProblem(
                PlanProblemKind.SecondExit, exit.Policy, exit.Boundary.Argument, -1,
                EquatableArray.Of(exit.Declaration, exit.Boundary.ToString(), first.Boundary.ToString(), first.Declaration)));
        }

        return first;
    }

    /// <summary>Orders the prunes and reports those that share a boundary or find no visual token.</summary>
    public static IReadOnlyList<Prune> CheckPrunes(IReadOnlyList<Prune> prunes, Exit? exit, List<PlanProblem> problems)
    {
        var accepted = new List<Prune>();
        foreach (Prune prune in prunes.OrderBy(prune => prune.Boundary.Order).ThenBy(prune => prune.Policy))
        {
            Prune? previous = accepted.LastOrDefault();
            if (exit is not null && prune.Boundary.AfterLayer >= exit.Boundary.AfterLayer)
            {
                // Of several places of one policy, the first that is wrong speaks for the others.
                if (problems.Exists(earlier => earlier.Policy == prune.Policy && earlier.Kind == PlanProblemKind.PruneAfterExit))
                {
                    continue;
                }

                problems.Add(new PlanProblem(
                    PlanProblemKind.PruneAfterExit, prune.Policy, prune.Boundary.Argument, prune.Boundary.Element,
                    EquatableArray.Of(prune.Declaration, prune.Boundary.ToString(), exit.Boundary.ToString(), exit.Declaration)));
            }
            else if (previous is not null && previous.Boundary.Order == prune.Boundary.Order)
            {
                problems.Add(new PlanProblem(
                    PlanProblemKind.SecondPruneAtBoundary, prune.Policy, prune.Boundary.Argument, prune.Boundary.Element,
                    EquatableArray.Of(prune.Declaration, prune.Boundary.ToString(), previous.Declaration)));
            }
            else if (previous is { Boundary.IsInside: true } && previous.Boundary.AfterLayer == prune.Boundary.AfterLayer && prune.Ranking.NeedsLayerBefore)
            {
                problems.Add(new PlanProblem(
                    PlanProblemKind.ScoredWhereMerged, prune.Policy, prune.Boundary.Argument, prune.Boundary.Element,
                    EquatableArray.Of(prune.Declaration, prune.Boundary.ToString(), previous.Declaration, PlanText.Plain((int)prune.Boundary.AfterLayer))));
            }
            else
            {
                accepted.Add(prune);
            }
        }

        return accepted;
    }

    /// <summary>Reports frozen layers that would have to rank rows by what they do not compute of them, and leaves the others.</summary>
    public static IReadOnlyList<Freeze> CheckRanking(IReadOnlyList<Freeze> freezes, IReadOnlyList<Prune> prunes, List<PlanProblem> problems) =>
        Without(freezes, prunes.Where(prune => ScoreTraits.Of(prune.Ranking.Score).FrozenKind is null), PlanProblemKind.FrozenWhereRanked, problems);

    /// <summary>Reports frozen layers in which visual rows are merged, and leaves the others.</summary>
    public static IReadOnlyList<Freeze> CheckMerging(IReadOnlyList<Freeze> freezes, IReadOnlyList<Prune> prunes, List<PlanProblem> problems) =>
        Without(freezes, prunes.Where(prune => prune.Boundary.IsInside), PlanProblemKind.FrozenWhereMerged, problems);

    /// <summary>Reports frozen layers that one of some prunes needs whole, each once a list in which it stands, and leaves the others.</summary>
    private static List<Freeze> Without(IReadOnlyList<Freeze> freezes, IEnumerable<Prune> prunes, PlanProblemKind kind, List<PlanProblem> problems)
    {
        var accepted = new List<Freeze>();
        foreach (Freeze freeze in freezes)
        {
            if (prunes.FirstOrDefault(prune => prune.Boundary.AfterLayer == freeze.Layer) is not { } needing)
            {
                accepted.Add(freeze);
            }
            else if (!problems.Exists(earlier => earlier.Kind == kind && earlier.Policy == freeze.Policy && earlier.Element == freeze.Element))
            {
                problems.Add(new PlanProblem(
                    kind, freeze.Policy, freeze.Argument, freeze.Element,
                    EquatableArray.Of(freeze.Declaration, PlanText.Layers(freeze.Layer, freeze.Layer), needing.Declaration)));
            }
        }

        return accepted;
    }

    /// <summary>Reports frozen layers that do not exist, that two policies name, or that hold no visual token.</summary>
    public static IReadOnlyList<Freeze> CheckFreezes(IReadOnlyList<Freeze> freezes, Exit? exit, int layers, List<PlanProblem> problems)
    {
        var accepted = new Dictionary<int, Freeze>();
        var overlapping = new List<(Freeze Freeze, Freeze Earlier)>();
        var empty = new List<Freeze>();
        foreach (Freeze freeze in freezes)
        {
            if (freeze.Layer < 0 || freeze.Layer >= layers)
            {
                problems.Add(new PlanProblem(
                    PlanProblemKind.LayerOutOfRange, freeze.Policy, freeze.Argument, freeze.Element,
                    EquatableArray.Of(freeze.Declaration, "layer " + PlanText.Plain(freeze.Layer), PlanText.Plain(layers - 1)),
                    freeze.Layer < 0 ? 0 : layers - 1));
            }
            else if (accepted.TryGetValue(freeze.Layer, out Freeze? earlier))
            {
                overlapping.Add((freeze, earlier));
            }
            else if (exit is not null && freeze.Layer > exit.Boundary.AfterLayer)
            {
                empty.Add(freeze);
            }
            else
            {
                accepted.Add(freeze.Layer, freeze);
            }
        }

        // One report a written argument: a range is one place, each number of a list is its own.
        foreach (IGrouping<(int Policy, int Element, string Earlier), (Freeze Freeze, Freeze Earlier)> place in overlapping
            .GroupBy(pair => (pair.Freeze.Policy, pair.Freeze.Element, pair.Earlier.Declaration)))
        {
            Freeze at = place.First().Freeze;
            problems.Add(new PlanProblem(
                PlanProblemKind.FrozenTwice, at.Policy, at.Argument, at.Element,
                EquatableArray.Of(at.Declaration, PlanText.Layers(place.Select(pair => pair.Freeze.Layer).ToList()), place.Key.Earlier)));
        }

        foreach (IGrouping<(int Policy, int Element), Freeze> place in empty.GroupBy(freeze => (freeze.Policy, freeze.Element)))
        {
            Freeze at = place.First();
            problems.Add(new PlanProblem(
                PlanProblemKind.FreezeAfterExit, at.Policy, at.Argument, at.Element,
                EquatableArray.Of(at.Declaration, PlanText.Layers(place.Select(freeze => freeze.Layer).ToList()), exit!.Boundary.ToString(), exit.Declaration)));
        }

        return accepted.Values.ToList();
    }

    /// <summary>Turns ordered prunes into steps behind those before them and reports the counts that make no sense.</summary>
    public static void ResolveCounts(IReadOnlyList<Prune> ordered, int visualTokens, List<Step> steps, List<PlanProblem> problems)
    {
        Tokens entering = Tokens.Behind(steps, visualTokens);
        foreach (Prune prune in ordered)
        {
            Tokens before = Tokens.Behind(steps, visualTokens);
            if (before.AreBound && prune.Boundary.IsInside)
            {
                if (!problems.Exists(earlier => earlier.Policy == prune.Policy && earlier.Kind == PlanProblemKind.MergesUnknownCount))
                {
                    problems.Add(new PlanProblem(
                        PlanProblemKind.MergesUnknownCount, prune.Policy, null, -1, EquatableArray.Of(prune.Declaration, steps[steps.Count - 1].Declaration)));
                }

                continue;
            }

            (int keep, RunTimeCount? count) = prune.Keep.Of(before, entering);
            if (CheckKeep(prune.Policy, prune.Declaration, prune.Keep, prune.Boundary.ToString(), keep, before.Count, steps.LastOrDefault()) is { } problem)
            {
                // Of several stages of one policy, the first that is wrong speaks for the others.
                if (!problems.Exists(earlier => earlier.Policy == problem.Policy && earlier.Kind == problem.Kind && string.Equals(earlier.Argument, problem.Argument, StringComparison.Ordinal)))
                {
                    problems.Add(problem);
                }

                continue;
            }

            steps.Add(new Step(
                (int)prune.Boundary.AfterLayer, prune.Ranking.Score, prune.Compress, before.Count, keep, prune.Declaration, prune.Ranking.ScorerType, prune.Ranking.Seed, prune.Positions,
                prune.Boundary.IsInside ? Site.InsideLayer : Site.DecoderBoundary,
                Kernel: prune.Kernel?.Invoke(before), Count: count, RelevantText: prune.RelevantText));
        }
    }

    /// <summary>Reports registers that add as many rows as the exit takes away.</summary>
    /// <param name="exit">The exit.</param>
    /// <param name="leaving">The visual tokens that leave.</param>
    /// <param name="layers">Decoder layers of the model.</param>
    /// <param name="problems">Receives what is wrong.</param>
    public static void CheckRegisters(Exit exit, int leaving, int layers, List<PlanProblem> problems)
    {
        long added = (long)exit.Registers * layers;
        long saved = leaving * (layers - 1 - exit.Boundary.AfterLayer);
        if (exit.Registers > 0 && added >= saved)
        {
            problems.Add(new PlanProblem(
                PlanProblemKind.RegistersSaveNothing, exit.Policy, Argument: null, -1,
                EquatableArray.Of(exit.Declaration, PlanText.Count(added), PlanText.Count(leaving), exit.Boundary.ToString(), PlanText.Count(saved))));
        }
    }

    /// <summary>What is wrong with a count, or null.</summary>
    /// <param name="policy">Index of the policy.</param>
    /// <param name="declaration">The policy as declared.</param>
    /// <param name="rule">What the policy says about the count.</param>
    /// <param name="place">Where the reduction is, as messages name it.</param>
    /// <param name="keep">The count.</param>
    /// <param name="available">The tokens that are there.</param>
    /// <param name="previous">The step before; null if there is none.</param>
    public static PlanProblem? CheckKeep(int policy, string declaration, KeepRule rule, string place, int keep, int available, Step? previous)
    {
        string kept = PlanText.Count(keep);
        string present = PlanText.Count(available);
        PlanProblem Problem(PlanProblemKind kind, params string[] values) =>
            new(kind, policy, rule.Argument, rule.Element, new[] { declaration }.Concat(values).ToEquatableArray());

        if (keep <= 0)
        {
            return Problem(PlanProblemKind.KeepNotPositive, kept, present);
        }

        // A step that decides by the image may keep all of one image and few of the next.
        if (keep == available && rule.Found is null)
        {
            return Problem(PlanProblemKind.KeepsAll, present, place);
        }

        if (keep < available || rule.Found is not null)
        {
            return null;
        }

        return previous is null
            ? Problem(PlanProblemKind.KeepExceedsModel, kept, present)
            : Problem(PlanProblemKind.KeepRises, kept, place, present, previous.Declaration);
    }
}
