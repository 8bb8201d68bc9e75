using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes the vision tower of a plan that reduces inside of it: a call a run of whole layers, a loop over the layers of a reduction.</summary>
internal static class TowerEmitter
{
    public static void Emit(SourceWriter writer, ReductionPlan plan)
    {
        writer.Line("pass.EmbedPatches();");
        foreach (TowerRun run in plan.TowerRuns())
        {
            writer.Line();
            if (run.Step is { Tower.IsAhead: true })
            {
                EmitAhead(writer, run, run.Step);
            }
            else if (run.Step is not null)
            {
                EmitStep(writer, run, run.Step);
            }
            else if (run.MergedInto > 0)
            {
                bool one = run.FirstLayer == run.LastLayer;
                writer.Line("// Tower " + PlanText.Layers(run.FirstLayer, run.LastLayer) + ": " + (one ? "runs" : "each runs") + " on " + PlanText.Count(run.MergedInto) + " rows that its static matrix makes of the "
                    + PlanText.Count(run.VisualTokens) + " visual tokens; behind it all come back (" + plan.MergedTower!.Declaration + ").");
                writer.Line("pass.RunMergedTowerLayers(first: " + Literal.Of(run.FirstLayer) + ", last: " + Literal.Of(run.LastLayer) + ");");
            }
            else
            {
                EmitWhole(writer, run, run.VisualTokens);
            }
        }
    }

    private static void EmitWhole(SourceWriter writer, TowerRun run, int tokens)
    {
        writer.Line("// Tower " + PlanText.Layers(run.FirstLayer, run.LastLayer) + ": " + PlanText.Count(tokens) + " visual tokens.");
        writer.Line("pass.RunTowerLayers(first: " + Literal.Of(run.FirstLayer) + ", last: " + Literal.Of(run.LastLayer) + ");");
    }

    /// <summary>Layers run ahead, tokens leave, and the layers run on those that stay.</summary>
    private static void EmitAhead(SourceWriter writer, TowerRun run, Step step)
    {
        TowerReduction tower = step.Tower!;
        int leaving = tower.Leaving[run.FirstLayer - tower.FirstLayer];
        int last = run.FirstLayer + tower.Ahead[run.FirstLayer - tower.FirstLayer] - 1;
        writer.Line("// Before tower layer " + Literal.Of(run.FirstLayer) + ": " + PlanText.Layers(run.FirstLayer, last) + (last == run.FirstLayer ? " runs" : " run") + " ahead; of " + PlanText.Count(run.VisualTokens)
            + " visual tokens the " + PlanText.Count(run.VisualTokens - leaving - 1) + " that the CLS token then attends to most stay, the others become one (" + step.Declaration + ").");
        using (writer.Open())
        {
            writer.Line("pass.LookAhead(first: " + Literal.Of(run.FirstLayer) + ", last: " + Literal.Of(last) + ");");
            writer.Line(KnownTypeNames.RowMergeRef + " merge = pass.BeginMerge(leaving: " + Literal.Of(leaving) + ");");
            writer.Line(StepEmitter.Call(step.Kernel!, "pass.ClsAttention, ", "merge"));
            writer.Line("pass.MergeTower(merge);");
        }

        writer.Line();
        EmitWhole(writer, run, run.VisualTokens - leaving);
    }

    private static void EmitStep(SourceWriter writer, TowerRun run, Step step)
    {
        TowerReduction tower = step.Tower!;
        bool loops = run.FirstLayer < run.LastLayer;
        string each = tower.IsConstant && loops ? ", " + PlanText.Count(tower.Leaving[0]) + " in each layer" : "";
        writer.Line("// Tower " + PlanText.Layers(run.FirstLayer, run.LastLayer) + ", between attention and feed-forward: " + PlanText.Count(step.TokensBefore) + " visual tokens are merged into "
            + PlanText.Count(step.TokensAfter) + each + ", by " + PlanTable.DescribeScore(step) + " (" + step.Declaration + ").");
        if (!tower.IsConstant)
        {
            writer.Line(KnownTypeNames.ReadOnlySpanRef + "<int> leaving = [" + string.Join(", ", tower.Leaving) + "];");
        }

        using (loops ? writer.Open("for (int layer = " + Literal.Of(run.FirstLayer) + "; layer <= " + Literal.Of(run.LastLayer) + "; layer++)") : writer.Open())
        {
            string layer = loops ? "layer" : "layer: " + Literal.Of(run.FirstLayer);
            string leaving = tower.IsConstant ? Literal.Of(tower.Leaving[0]) : run.FirstLayer == 0 ? "leaving[layer]" : "leaving[layer - " + Literal.Of(run.FirstLayer) + "]";
            writer.Line("pass.RunTowerAttention(" + layer + ");");
            writer.Line(KnownTypeNames.RowMergeRef + " merge = pass.BeginMerge(leaving: " + leaving + ");");
            writer.Line(StepEmitter.Call(step.Kernel!, Inputs(step.Score, tower.Reads), "merge"));
            writer.Line("pass.MergeTower(merge);");
            writer.Line("pass.RunTowerFeedForward(" + layer + ");");
        }
    }

    /// <summary>What the kernel looks at.</summary>
    private static string Inputs(Score score, TowerReads reads)
    {
        string map = (reads & (TowerReads.Logits | TowerReads.Probabilities)) == 0 ? "" : "pass.AttentionMap, ";
        string keys = (reads & TowerReads.Keys) == 0 ? "" : "pass.TowerKeys, ";
        return map + keys + (score == Score.KeySimilarity ? "pass.Sizes, " : "pass.Tokens, ");
    }
}
