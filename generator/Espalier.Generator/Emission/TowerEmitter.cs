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
            if (run.Step is not null)
            {
                EmitStep(writer, run, run.Step);
                continue;
            }

            writer.Line("// Tower " + PlanText.Layers(run.FirstLayer, run.LastLayer) + ": " + PlanText.Count(run.VisualTokens) + " visual tokens.");
            writer.Line("pass.RunTowerLayers(first: " + Literal.Of(run.FirstLayer) + ", last: " + Literal.Of(run.LastLayer) + ");");
        }
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
