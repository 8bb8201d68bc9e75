using System.Linq;
using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes what happens to an image before the decoder, for plans that reduce its tokens there; other classes inherit tower and projector.</summary>
internal static class ImageEmitter
{
    public static void Emit(SourceWriter writer, ReductionPlan plan, bool allowsUnsafe)
    {
        writer.Line("/// <summary>Image: runs the vision tower" + (plan.MergedTower is null ? "" : ", some of its layers on fewer rows,") + " and the projector" + (!plan.VisionSteps.Any() ? "." : ", and reduces the " + PlanText.Count(plan.Geometry.VisualTokens)
            + " visual tokens to " + PlanTable.AtMost(plan.EntersDynamic) + PlanText.Count(plan.DecoderVisualTokens) + " before the decoder.") + "</summary>");
        writer.Line("/// <param name=\"pass\">The bound sessions and the buffers. Nothing managed is allocated once an image has run.</param>");
        if (allowsUnsafe && plan.VisionSteps.Any(step => step.Tower is null && step.TokensAfter <= StepEmitter.StackLimit))
        {
            writer.Line("[" + KnownTypeNames.SkipLocalsInitRef + "]");
        }

        using (writer.Open("protected override void EncodeImage(" + KnownTypeNames.ImagePassRef + " pass)"))
        {
            Step? output = plan.StepAt(Site.VisionOutput);
            if (plan.ReducesTower)
            {
                TowerEmitter.Emit(writer, plan);
            }
            else if (output?.TowerScores is { } scores)
            {
                string layers = PlanText.Layers(scores.FirstLayer, scores.LastLayer);
                writer.Line(output.Score switch
                {
                    Score.ClsAttention => "// Vision tower; the CLS token's attention to the patches in tower " + layers + " is their score.",
                    Score.FullWidthClsAttention or Score.AttentionAndText => "// Vision tower; the CLS token's attention to the patches in tower " + layers + ", over all heads as one, is their score.",
                    Score.ReceivedAttention => "// Vision tower; the attention that the patches receive in tower " + layers + " is their score.",
                    _ => "// Vision tower, with its CLS row.",
                });
                writer.Line("pass.RunScoredTower();");
            }
            else
            {
                writer.Line("pass.RunTower();");
            }

            if (((output?.Kernel?.Inputs ?? KernelInputs.OfSite) & KernelInputs.TextScores) != 0)
            {
                writer.Line();
                writer.Line("// Projector, ahead of the step: the cosine of each projected patch with the text behind the image is its relation to the text.");
                writer.Line("pass.ScoreByText();");
            }

            if (output is not null)
            {
                writer.Line();
                EmitStep(writer, output, isBehindDynamic: false);
            }

            if (output is not null || plan.ReducesTower)
            {
                writer.Line();
            }

            writer.Line("pass.Project();");
            if (plan.StepAt(Site.Projected) is { } projected)
            {
                writer.Line();
                EmitStep(writer, projected, isBehindDynamic: output is { IsDynamic: true });
            }
        }
    }

    private static void EmitStep(SourceWriter writer, Step step, bool isBehindDynamic)
    {
        string place = step.Site == Site.VisionOutput ? "// At the output of the tower: " : "// Behind the projector: ";
        bool merges = step.IsMerge;
        writer.Line(place + PlanTable.AtMost(isBehindDynamic) + PlanText.Count(step.TokensBefore) + " visual tokens " + (merges ? "are merged into " : "are reduced to ")
            + PlanTable.AtMost(step.IsDynamic) + PlanText.Count(step.TokensAfter)
            + " by " + PlanTable.DescribeScore(step) + CompressTraits.Of(step.Compress).Suffix + " (" + step.Declaration + ").");
        using (writer.Open())
        {
            CountEmitter.Declare(writer, step, isBehindDynamic);
            StepEmitter.Scratch(writer, "int", "kept", "Kept", step.TokensAfter, CountEmitter.CutToStay(step));
            if (merges)
            {
                writer.Line(KnownTypeNames.SpanRef + "<float> weights = pass.Weights(rows: " + Literal.Of(step.TokensAfter) + ");");
            }

            writer.Line(step.Kernel is { } kernel
                ? CountEmitter.Receive(step) + StepEmitter.Call(kernel, Inputs(step, kernel, CountEmitter.Before(step, isBehindDynamic)), merges ? "kept, weights" : "kept")
                : KnownTypeNames.TokenSelectionRef + ".TopK(pass.ClsAttention, kept);");
            writer.Line((merges ? "pass.Merge(" : "pass.Keep(") + CountEmitter.Kept(step) + ");");
        }
    }

    /// <summary>What the kernel reads of its site, unless it says it itself.</summary>
    private static string Inputs(Step step, Kernel kernel, string tokens) =>
        kernel.Inputs != KernelInputs.OfSite ? StepEmitter.Inputs(kernel.Inputs, tokens)
        : step.Site == Site.VisionOutput ? "pass.ClsAttention, pass.Keys, "
        : "pass.Projected, tokens: " + tokens + ", ";
}
