using System;
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
        return text.Append(Cost(plan)).Append('\n').ToString();
    }

    /// <summary>One line a segment and, between them, one a step; lines end with a line feed.</summary>
    public static string Table(ReductionPlan plan)
    {
        var text = new StringBuilder(Heading).Append('\n');
        AppendSteps(text, plan, afterLayer: -1);
        foreach (Segment segment in plan.Segments)
        {
            string visual = PlanText.Count(segment.VisualTokens);
            text.Append(PlanText.Range(segment.FirstLayer, segment.LastLayer).PadLeft(6)).Append(visual.PadLeft(9)).Append("   ").Append(Describe(segment, plan.Registers)).Append('\n');
            AppendSteps(text, plan, segment.LastLayer);
        }

        return text.ToString();
    }

    /// <summary>One sentence: the visual rows that are computed, of those of the dense model.</summary>
    public static string Rows(ReductionPlan plan)
    {
        string rows = "Visual rows computed: " + PlanText.Count(plan.VisualRowsComputed) + " of " + PlanText.Count(plan.DenseVisualRows)
            + " (" + PlanText.Percent(plan.VisualRowsComputed, plan.DenseVisualRows) + ")";
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
        return "Prefill with " + PlanText.Plain(Text) + " text tokens: " + PlanText.FlopsOf(flops, dense) + ", convention C); KV cache in fp32: "
            + PlanText.BytesOf(bytes, denseBytes) + ").";
    }

    /// <summary>A step without its declaration, for example "prune 144 -> 72 by last-query attention".</summary>
    public static string Describe(Step step)
    {
        string counts = PlanText.Count(step.TokensBefore) + " -> " + PlanText.Count(step.TokensAfter);
        if (step.IsExit)
        {
            return step.Registers == 0 ? "exit " + counts : "summarise " + PlanText.Count(step.TokensBefore) + " -> " + PlanText.Registers(step.Registers);
        }

        string place = step.IsVisionSide ? " " + VisionRules.Describe(step.Site) : "";
        CompressTraits compress = CompressTraits.Of(step.Compress);
        return compress.Verb + " " + counts + place + " by " + DescribeScore(step) + compress.Suffix + (!step.IsVisionSide && step.Positions == Positions.Renumber ? ", renumbered" : "");
    }

    private static void AppendSteps(StringBuilder text, ReductionPlan plan, int afterLayer)
    {
        foreach (Step step in plan.Steps.Where(step => step.AfterLayer == afterLayer))
        {
            text.Append(new string(' ', 18)).Append(Describe(step)).Append(": ").Append(step.Declaration).Append('\n');
        }
    }

    private static string Describe(Segment segment, int registers)
    {
        string treatment = segment switch
        {
            { VisualTokens: 0 } => registers == 0 ? "text only" : "text",
            { Mode: LayerMode.Frozen } => "frozen: read by attention, not updated",
            _ => "dense",
        };
        return registers == 0 ? treatment : treatment + "; " + PlanText.Registers(registers);
    }

    /// <summary>The score of a step as prose names it.</summary>
    public static string DescribeScore(Step step) => ScoreTraits.Of(step.Score).Words(step);
}
