using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>What visual tokens do where they do less, and what cannot lie beside it. Pure.</summary>
internal static class PartialRules
{
    /// <summary>Puts together what the policies say of each layer, and reports what contradicts the model, another policy, or itself.</summary>
    /// <param name="partials">The wishes.</param>
    /// <param name="geometry">The model.</param>
    /// <param name="steps">The reductions, in order, without the exit.</param>
    /// <param name="frozen">The frozen layers.</param>
    /// <param name="exit">The exit; null if there is none.</param>
    /// <param name="problems">Receives what is wrong.</param>
    /// <returns>What visual tokens do, by layer; layers in which they do everything are left out.</returns>
    public static IReadOnlyDictionary<int, PartialWork> Resolve(
        List<Partial> partials, ModelGeometry geometry, List<Step> steps, IReadOnlyList<Freeze> frozen, Exit? exit, List<PlanProblem> problems)
    {
        var works = new Dictionary<int, List<(Partial Wish, PartialWork Work)>>();
        foreach (IGrouping<int, Partial> policy in partials.GroupBy(wish => wish.Policy))
        {
            int before = problems.Count;
            string? idle = null;
            bool acts = false;
            foreach (Partial wish in policy)
            {
                if (!Stands(wish, geometry, steps, frozen, exit, problems))
                {
                    continue;
                }

                int visual = steps.LastOrDefault(step => step.AfterLayer < wish.Layer)?.TokensAfter ?? geometry.VisualTokens;
                PartialWork work = WithoutIdle(wish.Work, geometry, visual);
                idle = Idle(wish.Work, work, geometry, visual) ?? idle;
                if (work.IsWhole)
                {
                    continue;
                }

                acts = true;
                Add(works, wish, work);
            }

            if (problems.Count == before && idle is not null && !acts)
            {
                Partial first = policy.First();
                problems.Add(new PlanProblem(PlanProblemKind.PartialSavesNothing, first.Policy, Argument: null, -1, EquatableArray.Of(first.Declaration, idle)));
            }
        }

        return works.OrderBy(pair => pair.Key).ToDictionary(pair => pair.Key, pair => Together(pair.Value, problems));
    }

    /// <summary>True if visual tokens can do less in a layer.</summary>
    private static bool Stands(Partial wish, ModelGeometry geometry, List<Step> steps, IReadOnlyList<Freeze> frozen, Exit? exit, List<PlanProblem> problems)
    {
        int layers = geometry.Text.Layers;
        PlanProblem Problem(PlanProblemKind kind, int? nearest, params string[] values) =>
            new(kind, wish.Policy, wish.Argument, wish.Element, new[] { wish.Declaration }.Concat(values).ToEquatableArray(), nearest);

        string layer = PlanText.Layers(wish.Layer, wish.Layer);
        if (wish.Layer < 0 || wish.Layer >= layers)
        {
            problems.Add(Problem(PlanProblemKind.LayerOutOfRange, wish.Layer < 0 ? 0 : layers - 1, layer, PlanText.Plain(layers - 1)));
            return false;
        }

        // A policy for all layers is one for those in which nothing else is said of visual tokens.
        string? treated = null;
        string other = "";
        if (frozen.FirstOrDefault(freeze => freeze.Layer == wish.Layer) is { } freeze)
        {
            (treated, other) = ("freezes", freeze.Declaration);
        }
        else if (steps.FirstOrDefault(step => step.IsInsideLayer && step.AfterLayer == wish.Layer) is { } merge)
        {
            (treated, other) = ("merges", merge.Declaration);
        }
        else if (steps.FirstOrDefault(step => step.AfterLayer == wish.Layer && ScoreTraits.Of(step.Score).PartialKind is null) is { } ranking)
        {
            (treated, other) = ("ranks by all attention of", ranking.Declaration);
        }

        bool left = exit is not null && wish.Layer > exit.Boundary.AfterLayer;
        if (left || treated is not null)
        {
            if (wish.IsWritten)
            {
                problems.Add(left
                    ? Problem(PlanProblemKind.PartialAfterExit, null, layer, exit!.Boundary.ToString(), exit.Declaration)
                    : Problem(PlanProblemKind.PartialWhereTreated, null, layer, other, treated!));
            }

            return false;
        }

        if (!wish.Work.NeedsGrid)
        {
            return true;
        }

        string? reason = geometry.Vision.HasCls && geometry.Vision.KeepsCls ? "this model counts its CLS token among the visual tokens (vision_feature_select_strategy is \"full\")"
            : steps.FirstOrDefault(step => step.IsMerge && step.AfterLayer < wish.Layer) is { } merged ? "'" + merged.Declaration + "' makes tokens of several patches before" : null;
        if (reason is not null && !problems.Exists(earlier => earlier.Policy == wish.Policy && earlier.Kind == PlanProblemKind.NeighboursUnknown))
        {
            problems.Add(Problem(PlanProblemKind.NeighboursUnknown, null, layer, reason));
        }

        return reason is null;
    }

    /// <summary>The work without the parts of it that leave nothing out.</summary>
    private static PartialWork WithoutIdle(PartialWork work, ModelGeometry geometry, int visual)
    {
        bool reachesAll = work.Reach == VisualReach.Preceding ? work.Distance >= visual - 1 : work.Reach == VisualReach.Neighbours && work.Distance >= geometry.Vision.GridSize - 1;
        bool takesAll = work.Choice != NeuronChoice.All && !SavesNeurons(work, geometry.Text.Intermediate, visual);
        work = reachesAll ? work with { Reach = VisualReach.All, Distance = 0 } : work;
        return takesAll ? work with { Choice = NeuronChoice.All, Neurons = 0, ProbeStride = 0 } : work;
    }

    /// <summary>True if fewer neurons are computed, those of the probes included: all of them but for the last of the three products.</summary>
    private static bool SavesNeurons(PartialWork work, int intermediate, int visual) =>
        (2L * work.Probes(visual) * intermediate) + (3L * visual * work.Neurons) < 3L * visual * intermediate;

    private static string? Idle(PartialWork said, PartialWork left, ModelGeometry geometry, int visual) =>
        said.Choice != left.Choice ? PlanText.Count(said.Neurons) + " of " + PlanText.Count(geometry.Text.Intermediate) + " neurons" + (said.ProbeStride == 0 ? "" : " and what finding them takes") + " are as many products"
        : said.Reach != left.Reach ? "all " + PlanText.Count(visual) + " visual tokens are in reach"
        : left.IsWhole ? "all neurons, all heads, and all visual tokens in reach" : null;

    private static void Add(Dictionary<int, List<(Partial Wish, PartialWork Work)>> works, Partial wish, PartialWork work)
    {
        if (!works.TryGetValue(wish.Layer, out List<(Partial Wish, PartialWork Work)>? there))
        {
            works.Add(wish.Layer, there = new List<(Partial Wish, PartialWork Work)>());
        }

        there.Add((wish, work));
    }

    /// <summary>What several policies say of one layer, where each says another thing.</summary>
    private static PartialWork Together(List<(Partial Wish, PartialWork Work)> said, List<PlanProblem> problems)
    {
        PartialWork all = said[0].Work;
        for (int i = 1; i < said.Count; i++)
        {
            (Partial wish, PartialWork work) = said[i];
            CheckOnce(said, i, wish, "which visual tokens are in reach", one => one.Reach != VisualReach.All, problems);
            CheckOnce(said, i, wish, "which neurons visual tokens use", one => one.Choice != NeuronChoice.All, problems);
            CheckOnce(said, i, wish, "which heads visual tokens do without", one => one.DroppedHeads.Count > 0, problems);
            all = work.Reach == VisualReach.All ? all : all with { Reach = work.Reach, Distance = work.Distance };
            all = work.Choice == NeuronChoice.All ? all : all with { Choice = work.Choice, Neurons = work.Neurons, ProbeStride = work.ProbeStride };
            all = work.DroppedHeads.Count == 0 ? all : all with { DroppedHeads = work.DroppedHeads };
        }

        return all;
    }

    private static void CheckOnce(List<(Partial Wish, PartialWork Work)> said, int at, Partial wish, string what, Func<PartialWork, bool> says, List<PlanProblem> problems)
    {
        if (!says(said[at].Work) || problems.Exists(earlier => earlier.Kind == PlanProblemKind.PartialTwice && earlier.Policy == wish.Policy))
        {
            return;
        }

        for (int i = 0; i < at; i++)
        {
            if (says(said[i].Work))
            {
                problems.Add(new PlanProblem(
                    PlanProblemKind.PartialTwice, wish.Policy, wish.Argument, wish.Element,
                    EquatableArray.Of(wish.Declaration, what, PlanText.Layers(wish.Layer, wish.Layer), said[i].Wish.Declaration)));
                return;
            }
        }
    }
}
