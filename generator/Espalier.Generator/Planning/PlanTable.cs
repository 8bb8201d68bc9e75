using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Espalier.Planning;

/// <summary>Writes a plan as the table that stands in the emitted documentation, in the console and in test output.</summary>
internal static class PlanTable
{
    private const string Heading = "layers   visual   what happens";

    /// <summary>The table and the cost.</summary>
    public static string Render(ReductionPlan plan)
    {
        var text = new StringBuilder(Table(plan)).Append('\n').Append(Rows(plan)).Append('\n');
        text.Append(Cost(plan)).Append('\n');
        foreach (string sentence in DecodeCosts(plan))
        {
            text.Append(sentence).Append('\n');
        }

        return plan.ReducesTower ? text.Append(TowerCost(plan)).Append('\n').ToString() : text.ToString();
    }

    /// <summary>One line a segment and, between them, one a step; lines end with a line feed.</summary>
    public static string Table(ReductionPlan plan)
    {
        var text = new StringBuilder(Heading).Append('\n');
        if (plan.MergedTower is { } merged)
        {
            text.Append(new string(' ', 18)).Append("tower layer").Append(merged.Layers.Count == 1 ? " " : "s ").Append(string.Join(", ", merged.Layers)).Append(" on ").Append(PlanText.Count(merged.Rows))
                .Append(" rows of static matrices, then ").Append(PlanText.Count(plan.Geometry.VisualTokens)).Append(" again: ").Append(merged.Declaration).Append('\n');
        }

        AppendSteps(text, plan, afterLayer: -1);
        int told = -1;
        foreach (Segment segment in plan.Segments)
        {
            if (segment.LastLayer <= told)
            {
                continue;
            }

            if (plan.StepInside(segment.FirstLayer) is { } inside)
            {
                told = plan.LastLayerAlike(segment.FirstLayer);
                AppendMerging(text, plan, inside, told);
                AppendSteps(text, plan, told);
                continue;
            }

            string visual = PlanText.Count(segment.VisualTokens);
            text.Append(PlanText.Range(segment.FirstLayer, segment.LastLayer).PadLeft(6)).Append(visual.PadLeft(9)).Append("   ").Append(Describe(plan, segment)).Append('\n');
            AppendSteps(text, plan, segment.LastLayer);
        }

        if (plan.Gates is { } gates)
        {
            text.Append(new string(' ', 18)).Append("all leave behind the first of layers ").Append(PlanText.Range(gates.FirstLayer, gates.LastLayer)).Append(" whose gate says so: ").Append(gates.Declaration).Append('\n');
        }

        if (plan.Skips is { } skips)
        {
            text.Append(new string(' ', 18)).Append("decode may skip feed-forward layers in layers ").Append(PlanText.Range(skips.FirstLayer, skips.LastLayer)).Append(": ").Append(skips.Declaration).Append('\n');
        }

        if (plan.Eviction is { } eviction)
        {
            text.Append(new string(' ', 18)).Append("decode lets text between separators leave the caches: ").Append(eviction.Declaration).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>One sentence: the visual rows that are computed, of those of the dense model.</summary>
    public static string Rows(ReductionPlan plan)
    {
        string rows = "Visual rows computed: " + AtMost(plan.IsDynamic || plan.Gates is not null) + PlanText.Count(plan.VisualRowsComputed) + " of " + PlanText.Count(plan.DenseVisualRows)
            + " (" + PlanText.Percent(plan.VisualRowsComputed, plan.DenseVisualRows) + ")";
        if (plan.IsDynamic)
        {
            long typical = TypicalRows(plan);
            rows += ", typically " + PlanText.Count(typical) + " (" + PlanText.Percent(typical, plan.DenseVisualRows) + ")";
        }

        rows += plan.VisualRowsPartial == 0 ? "" : ", " + PlanText.Count(plan.VisualRowsPartial) + " of them in part";
        rows += plan.VisualRowsFrozen == 0 ? "" : "; " + PlanText.Count(plan.VisualRowsFrozen) + " more are read while frozen";
        return rows + (plan.Registers == 0 ? "." : "; " + PlanText.Registers(plan.Registers) + (plan.Registers == 1 ? " runs" : " run") + " in every layer besides.");
    }

    /// <summary>One sentence: operations and cache bytes, with the convention and the text length that they hold for.</summary>
    public static string Cost(ReductionPlan plan)
    {
        const int Text = CostModel.AssumedTextTokens;
        double flops = plan.Flops(FlopsConvention.C, Text);
        double dense = plan.DenseFlops(FlopsConvention.C, Text);
        long bytes = plan.KeyValueBytes(Text);
        long denseBytes = plan.DenseKeyValueBytes(Text);
        string typical = plan.IsDynamic ? "), typically " + PlanText.FlopsOf(plan.TypicalFlops(FlopsConvention.C, Text), dense) : "";
        return "Prefill with " + PlanText.Plain(Text) + " text tokens: " + AtMost(plan.IsDynamic || plan.Gates is not null) + PlanText.FlopsOf(flops, dense) + typical + ", convention C); KV cache in fp32: "
            + AtMost(plan.IsDynamic || plan.Gates is not null) + PlanText.BytesOf(bytes, denseBytes) + ").";
    }

    /// <summary>A sentence for each thing that decode steps leave out; none if they leave out nothing.</summary>
    public static IEnumerable<string> DecodeCosts(ReductionPlan plan)
    {
        const int Text = CostModel.AssumedTextTokens;
        if (plan.Skips is { } skips)
        {
            yield return "Decode behind " + PlanText.Plain(Text) + " text tokens: at least " + PlanText.FlopsOf(plan.LeastDecodeFlops(FlopsConvention.C, Text), plan.DecodeFlops(FlopsConvention.C, Text))
                + ", convention C) a token, which may skip up to " + PlanText.Count(skips.AtMost) + " of " + PlanText.Count(plan.Layers) + " feed-forward layers.";
        }

        if (plan.Eviction is { } eviction)
        {
            // A text of twice what always stays, so that something can leave.
            int text = (int)Math.Min(int.MaxValue / 4, 2L * (eviction.Initial + (long)eviction.Neighbours));
            long bytes = plan.KeyValueBytes(1) - plan.KeyValueBytes(0);
            yield return "Decode: each text token that leaves the caches frees " + PlanText.Count(bytes) + " bytes of them in fp32; of " + PlanText.Count(text) + " text tokens at most "
                + PlanText.Count(text - eviction.LeastRows(text)) + " do: at least " + PlanText.BytesOf(plan.LeastKeyValueBytes(text), plan.KeyValueBytes(text)) + ").";
        }
    }

    /// <summary>One sentence: operations of the vision tower, which the prefill does not count.</summary>
    public static string TowerCost(ReductionPlan plan) =>
        "Vision tower: " + PlanText.FlopsOf(plan.TowerFlops(FlopsConvention.C), plan.DenseTowerFlops(FlopsConvention.C)) + ", convention C).";

    /// <summary>A step without its declaration, for example "prune 144 -> 72 by last-query attention".</summary>
    public static string Describe(Step step)
    {
        string counts = PlanText.Count(step.TokensBefore) + " -> " + AtMost(step.IsDynamic) + PlanText.Count(step.TokensAfter);
        if (step.IsExit)
        {
            return step.Registers == 0 ? "exit " + counts : "summarise " + PlanText.Count(step.TokensBefore) + " -> " + PlanText.Registers(step.Registers);
        }

        if (step.Tower is { } tower)
        {
            return CompressTraits.Of(step.Compress).Verb + " " + counts + " in tower " + PlanText.Layers(tower.FirstLayer, tower.LastLayer) + " by " + DescribeScore(step);
        }

        string place = step.IsVisionSide ? " " + VisionRules.Describe(step.Site) : "";
        CompressTraits compress = CompressTraits.Of(step.Compress);
        return compress.Verb + " " + counts + place + " by " + DescribeScore(step) + compress.Suffix + (!step.IsVisionSide && step.Positions == Positions.Renumber ? ", renumbered" : "")
            + (step.RelevantText > 0 ? ", and text with them" : "");
    }

    private static void AppendSteps(StringBuilder text, ReductionPlan plan, int afterLayer)
    {
        foreach (Step step in plan.Steps.Where(step => step.AfterLayer == afterLayer && !step.IsInsideLayer))
        {
            text.Append(new string(' ', 18)).Append(Describe(step)).Append(": ").Append(step.Declaration).Append('\n');
        }
    }

    /// <summary>One line for layers inside of which the same happens.</summary>
    private static void AppendMerging(StringBuilder text, ReductionPlan plan, Step first, int lastLayer)
    {
        int by = first.TokensBefore - first.TokensAfter;
        int last = plan.VisualTokensAt(lastLayer);
        string visual = PlanText.Count(first.TokensBefore) + (lastLayer == first.AfterLayer ? "" : "-" + PlanText.Count(last));
        CompressTraits compress = CompressTraits.Of(first.Compress);
        text.Append(PlanText.Range(first.AfterLayer, lastLayer).PadLeft(6)).Append(visual.PadLeft(9)).Append("   ")
            .Append("dense, ").Append(lastLayer == first.AfterLayer ? "inside" : "inside of each").Append(": ").Append(compress.Verb).Append(' ').Append(PlanText.Count(by))
            .Append(" by ").Append(DescribeScore(first)).Append(compress.Suffix).Append(first.Positions == Positions.Renumber ? ", renumbered" : "").Append(": ").Append(first.Declaration).Append('\n');
    }

    private static string Describe(ReductionPlan plan, Segment segment)
    {
        string mode = segment switch
        {
            { VisualTokens: 0 } => plan.Registers == 0 ? "text only" : "text",
            { Mode: LayerMode.Frozen } => "frozen: read by attention, not updated",
            { Partial: { } work } => "partial: " + work.Describe(plan.Geometry.Text),
            _ => "dense",
        };
        mode += plan.Registers == 0 ? "" : "; " + PlanText.Registers(plan.Registers);
        return plan.IsDynamicAt(segment.FirstLayer)
            ? mode + "; at most so many visual tokens, typically " + PlanText.Count(plan.TypicalVisualTokensAt(segment.FirstLayer))
            : mode;
    }

    /// <summary>"at most ", where a count depends on the image.</summary>
    public static string AtMost(bool isDynamic) => isDynamic ? "at most " : "";

    private static long TypicalRows(ReductionPlan plan)
    {
        long rows = 0;
        foreach (Segment segment in plan.Segments)
        {
            rows += segment.Mode is LayerMode.Dense or LayerMode.Partial ? (long)segment.Layers * plan.TypicalVisualTokensAt(segment.FirstLayer) : 0;
        }

        return rows;
    }

    /// <summary>The score of a step as prose names it.</summary>
    public static string DescribeScore(Step step) => ScoreTraits.Of(step.Score).Words(step);
}
