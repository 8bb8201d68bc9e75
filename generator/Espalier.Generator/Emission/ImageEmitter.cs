using System.Linq;
using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes what happens to an image before the decoder, for plans that reduce its tokens there; other classes inherit tower and projector.</summary>
internal static class ImageEmitter
{
    public static void Emit(SourceWriter writer, ReductionPlan plan, bool allowsUnsafe)
    {
        writer.Line("/// <summary>Image: runs the vision tower and the projector, and reduces the " + PlanText.Count(plan.Geometry.VisualTokens)
            + " visual tokens to " + PlanText.Count(plan.DecoderVisualTokens) + " before the decoder.</summary>");
        writer.Line("/// <param name=\"pass\">The bound sessions and the buffers. Nothing managed is allocated.</param>");
        if (allowsUnsafe && plan.VisionSteps.Any(step => step.TokensAfter <= StepEmitter.StackLimit))
        {
            writer.Line("[" + KnownTypeNames.SkipLocalsInitRef + "]");
        }

        using (writer.Open("protected override void EncodeImage(" + KnownTypeNames.ImagePassRef + " pass)"))
        {
            Step? output = plan.StepAt(Site.VisionOutput);
            if (output?.TowerScores is { } scores)
            {
                writer.Line("// Vision tower; the CLS token's attention to the patches in tower " + PlanText.Layers(scores.FirstLayer, scores.LastLayer) + " is their score.");
                writer.Line("pass.RunScoredTower();");
            }
            else
            {
                writer.Line("pass.RunTower();");
            }

            if (output is not null)
            {
                writer.Line();
                EmitStep(writer, output);
                writer.Line();
            }

            writer.Line("pass.Project();");
            if (plan.StepAt(Site.Projected) is { } projected)
            {
                writer.Line();
                EmitStep(writer, projected);
            }
        }
    }

    private static void EmitStep(SourceWriter writer, Step step)
    {
        string place = step.Site == Site.VisionOutput ? "// At the output of the tower: " : "// Behind the projector: ";
        bool merges = step.Compress == Compress.MergeIntoTargets;
        writer.Line(place + PlanText.Count(step.TokensBefore) + " visual tokens " + (merges ? "are merged into " : "are reduced to ") + PlanText.Count(step.TokensAfter)
            + " by " + PlanTable.DescribeScore(step) + (merges ? " and similar keys" : "") + " (" + step.Declaration + ").");
        using (writer.Open())
        {
            StepEmitter.Scratch(writer, "int", "kept", "Kept", step.TokensAfter);
            if (merges)
            {
                writer.Line(KnownTypeNames.SpanRef + "<float> weights = pass.Weights(rows: " + Literal.Of(step.TokensAfter) + ");");
                writer.Line(Call(step));
                writer.Line("pass.Merge(kept);");
            }
            else
            {
                writer.Line(step.Kernel is null ? KnownTypeNames.TokenSelectionRef + ".TopK(pass.ClsAttention, kept);" : Call(step));
                writer.Line("pass.Keep(kept);");
            }
        }
    }

    /// <summary>The call of the step's kernel on what its site hands out.</summary>
    private static string Call(Step step) => StepEmitter.Call(
        step.Kernel!,
        step.Site == Site.VisionOutput ? "pass.ClsAttention, pass.Keys, " : "pass.Projected, tokens: " + Literal.Of(step.TokensBefore) + ", ",
        step.IsMerge ? "kept, weights" : "kept");
}
