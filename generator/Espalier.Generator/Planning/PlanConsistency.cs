using System;
using System.Linq;

namespace Espalier.Planning;

/// <summary>Whether the parts of a plan fit together, whoever wrote them: the planner, the literals of a generated class, a test.</summary>
/// <remarks>Which declarations make sense is asked by <see cref="PlanRules"/>, before there is a plan.</remarks>
internal static class PlanConsistency
{
    /// <summary>Checks the parts of a plan against each other.</summary>
    /// <param name="plan">The plan; of its properties only the parts are read.</param>
    /// <exception cref="ArgumentException">Two parts contradict each other.</exception>
    public static void Check(ReductionPlan plan)
    {
        CheckVisionSteps(plan);
        CheckGates(plan);
        Require(plan.Skips is not { } skips || (skips.FirstLayer >= 0 && skips.FirstLayer < skips.LastLayer && skips.LastLayer < plan.Layers && skips.Following >= 1), "feed-forward layers are skipped behind others of the same run");
        Require(plan.Eviction is not { } eviction || (eviction.Initial >= 0 && eviction.Neighbours >= 1), "a separator stays where it lets text leave");
        CheckMergedTower(plan);
        foreach (Step step in plan.Steps)
        {
            bool summarises = step.Compress == Compress.Summarise;
            Require(summarises ? step.Registers > 0 && step.IsExit : step.Registers == 0, "registers stay where all visual tokens leave, and nowhere else");
        }

        CheckSegments(plan);
        Require(plan.Steps.All(step => step.AfterLayer < 0 || ScoreTraits.Of(step.Score).FrozenKind is not null || plan.SegmentAt(step.AfterLayer).Mode != LayerMode.Frozen), "a frozen layer has to rank rows that it does not compute");
        Require(plan.Steps.All(step => step.AfterLayer < 0 || ScoreTraits.Of(step.Score).PartialKind is not null || plan.SegmentAt(step.AfterLayer).Mode != LayerMode.Partial), "a layer has to rank rows by attention of which it leaves a part out");
    }

    // On the vision side the output of the tower comes before that of the projector, and both before the decoder.
    private static void CheckVisionSteps(ReductionPlan plan)
    {
        Step? before = null;
        foreach (Step step in plan.Steps.TakeWhile(step => step.IsVisionSide))
        {
            Require(step.AfterLayer == -1 && (before is null || step.Site > before.Site || IsDeeper(step, before)), "the steps before the decoder are not in order");
            CheckTower(plan, step);
            before = step;
        }

        Require(plan.Steps.SkipWhile(step => step.IsVisionSide).All(later => !later.IsVisionSide), "a step before the decoder comes behind one of the decoder");
    }

    private static void CheckGates(ReductionPlan plan)
    {
        if (plan.Gates is { } gates)
        {
            Require(gates.FirstLayer >= 0 && gates.FirstLayer <= gates.LastLayer && gates.LastLayer == plan.Layers - 2, "gates lie behind layers up to the last but one");
            Require(plan.Steps.All(step => step.IsVisionSide || (!step.IsExit && step.AfterLayer <= gates.FirstLayer)), "a step lies where a gate may have let all visual tokens leave");
            Require(plan.Segments.All(segment => segment.Mode is LayerMode.Dense or LayerMode.Partial || segment.LastLayer <= gates.FirstLayer), "a layer is frozen where a gate may have let all visual tokens leave");
        }
    }

    private static void CheckSegments(ReductionPlan plan)
    {
        int layer = 0;
        int tokens = plan.Geometry.VisualTokens;
        int step = 0;
        bool dynamic = false;
        foreach (Segment segment in plan.Segments)
        {
            while (step < plan.Steps.Count && plan.Steps[step].AfterLayer == layer - 1)
            {
                Step current = plan.Steps[step++];
                bool shrinks = current.TokensAfter < tokens || (current.TokensAfter == tokens && current.Count?.Rule == CountRule.Found);
                Require(current.TokensBefore == tokens && shrinks, "a step does not lead from the count before it to a smaller one");
                Require(current.IsDynamic || current.IsExit || !dynamic, "a step knows its count behind one that does not");
                Require(current.Count is not { } count || (count.Typical >= 1 && count.Typical <= current.TokensAfter), "a typical count is above the upper bound");
                tokens = current.TokensAfter;
                dynamic = current.IsDynamic;
            }

            Require(segment.FirstLayer == layer && segment.LastLayer >= layer, "the segments do not follow each other");
            Require(segment.VisualTokens == tokens, "the count of visual tokens changes without a step");
            Require((segment.Mode == LayerMode.Merging) == (plan.StepInside(segment.LastLayer) is not null) && (segment.Mode != LayerMode.Merging || segment.Layers == 1), "a layer with a step inside of it is a segment of its own");
            Require((segment.Mode == LayerMode.Partial) == (segment.Partial is { IsWhole: false }) && (segment.Partial is null || segment.VisualTokens > 0), "a layer is partial without work that is left out, or the other way round");
            CheckPartial(plan, segment.Partial);
            layer = segment.LastLayer + 1;
        }

        Require(layer == plan.Layers, "the segments do not cover all layers");
        Require(step == plan.Steps.Count, "a step does not lie between two segments");
    }

    private static void CheckPartial(ReductionPlan plan, PartialWork? work)
    {
        if (work is not null)
        {
            Require(work.Distance >= (work.Reach == VisualReach.Preceding ? 1 : 0) && (work.Reach != VisualReach.All || work.Distance == 0), "a distance belongs to a reach that has an end");
            Require((work.Choice == NeuronChoice.All) == (work.Neurons == 0) && work.Neurons >= 0 && work.Neurons < plan.Geometry.Text.Intermediate, "neurons are left out, but not all of them");
            Require((work.Choice == NeuronChoice.Probed) == (work.ProbeStride > 0) && work.ProbeStride >= 0, "a stride belongs to probes");
            int previous = -1;
            foreach (int head in work.DroppedHeads)
            {
                Require(head > previous && head < plan.Geometry.Text.Heads, "heads are dropped in ascending order");
                previous = head;
            }
        }
    }

    private static bool IsDeeper(Step step, Step before) => step.Tower is { } one && before.Tower is { } other && one.FirstLayer > other.LastLayer;

    private static void CheckMergedTower(ReductionPlan plan)
    {
        if (plan.MergedTower is not { } merged)
        {
            return;
        }

        Require(merged.Rows >= 1 && merged.Rows < plan.Geometry.VisualTokens && merged.Layers.Count > 0, "a merged layer of the tower runs on no row, or on as many as there are tokens");
        for (int i = 0; i < merged.Layers.Count; i++)
        {
            Require(merged.Layers[i] >= 0 && merged.Layers[i] < plan.Geometry.Vision.FeatureLayers && (i == 0 || merged.Layers[i] > merged.Layers[i - 1]), "the merged layers of the tower are not in order, or do not run");
        }

        Require(plan.Steps.All(step => step.TowerScores is null && (step.Tower is null || step.Tower.FirstLayer > merged.LastLayer)), "a step needs whole layers of the tower that are merged");
    }

    private static void CheckTower(ReductionPlan plan, Step step)
    {
        Require(step.Site == Site.InsideTower == (step.Tower is not null), "a step has tower layers without being inside the tower, or is there without them");
        if (step.Tower is { } tower)
        {
            Require(tower.FirstLayer >= 0 && tower.Leaving.Count > 0 && tower.LastLayer < plan.Geometry.Vision.FeatureLayers, "a step lies in tower layers that do not run");
            Require(!tower.IsAhead || (tower.Ahead.Count == tower.Leaving.Count && tower.Reads == TowerReads.None && !tower.IsProportional), "a step that looks ahead in the tower does not say so for each layer, or reads what it cannot");
            for (int i = 0; i < tower.Ahead.Count; i++)
            {
                bool leaves = tower.Leaving[i] > 0;
                Require(tower.Ahead[i] > 0 == leaves && (leaves || i > 0) && tower.FirstLayer + i + tower.Ahead[i] <= plan.Geometry.Vision.FeatureLayers, "layers run ahead where no token leaves, or beyond those that run");
            }

            Require(tower.Total == step.TokensBefore - step.TokensAfter, "the tokens that leave in the tower layers are not those of the step");
        }
    }

    private static void Require(bool condition, string violation)
    {
        if (!condition)
        {
            throw new ArgumentException("The parts of the plan do not fit together: " + violation + ".");
        }
    }
}
