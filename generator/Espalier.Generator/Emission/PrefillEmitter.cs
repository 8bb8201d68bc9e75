using System;
using System.Linq;
using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes the prefill loop: a loop a run of layers, a braced block a reduction.</summary>
internal static class PrefillEmitter
{
    /// <summary>Elements up to which scratch lies on the stack; larger scratch belongs to the pass.</summary>
    private const int StackLimit = 1024;

    public static void Emit(SourceWriter writer, ReductionPlan plan, bool allowsUnsafe)
    {
        writer.Line("/// <summary>Prefill: runs the visual tokens and the text behind them through layers 0-" + Literal.Of(plan.Layers - 1)
            + " and leaves the KV caches and the logits of the last row.</summary>");
        writer.Line("/// <param name=\"pass\">The bound sessions and the buffers. Nothing managed is allocated.</param>");
        if (allowsUnsafe && plan.Steps.Any(step => !step.IsExit && step.TokensAfter <= StackLimit))
        {
            writer.Line("[" + KnownTypeNames.SkipLocalsInitRef + "]");
        }

        using (writer.Open("protected override void Prefill(" + KnownTypeNames.ForwardPassRef + " pass)"))
        {
            writer.Line("pass.BeginPrefill(visualTokens: " + Literal.Of(plan.Geometry.VisualTokens) + ");");
            foreach (LayerRun run in plan.PrefillRuns())
            {
                Step? step = plan.Steps.FirstOrDefault(step => step.AfterLayer == run.LastLayer);
                writer.Line();
                if (step is { IsExit: false })
                {
                    EmitPrune(writer, run, step);
                    continue;
                }

                EmitRun(writer, run);
                if (step is not null)
                {
                    writer.Line();
                    writer.Line("// After layer " + Literal.Of(step.AfterLayer) + ": all " + PlanText.Count(step.TokensBefore) + " visual tokens leave the sequence (" + step.Declaration + ").");
                    writer.Line("pass.ExitVisual();");
                }
            }

            writer.Line();
            writer.Line("pass.EndPrefill();");
        }
    }

    private static void EmitRun(SourceWriter writer, LayerRun run)
    {
        string treatment = run switch
        {
            { VisualTokens: 0 } => "text only",
            { Kind: LayerKind.Frozen } => "frozen, " + PlanText.Count(run.VisualTokens) + " visual tokens are read by attention but not updated",
            _ => "dense, " + PlanText.Count(run.VisualTokens) + " visual tokens",
        };
        writer.Line("// " + Heading(run) + ": " + treatment + ".");
        Loop(writer, run.FirstLayer, run.LastLayer, run.Kind == LayerKind.Frozen ? "RunFrozen" : "RunDense");
    }

    private static void EmitPrune(SourceWriter writer, LayerRun run, Step step)
    {
        bool frozen = run.Kind == LayerKind.FrozenScored;
        writer.Line("// " + Heading(run) + ": " + (frozen ? "frozen" : "dense") + ", " + PlanText.Count(run.VisualTokens) + " visual tokens; the last row's attention to each is its score.");
        writer.Line("// After layer " + Literal.Of(step.AfterLayer) + ": the " + PlanText.Count(step.TokensAfter) + " visual tokens with the highest scores stay, "
            + PlanText.Count(step.TokensBefore - step.TokensAfter) + " leave (" + step.Declaration + ").");
        using (writer.Open())
        {
            Scratch(writer, "float", "scores", "Scores", step.TokensBefore);
            Scratch(writer, "int", "kept", "Kept", step.TokensAfter);
            writer.Line("pass." + (frozen ? "RunFrozenScored" : "RunScored") + "(layer: " + Literal.Of(run.LastLayer) + ", scores);");
            writer.Line(KnownTypeNames.TokenSelectionRef + ".TopK(scores, kept);");
            writer.Line("pass.KeepVisual(kept);");
        }
    }

    private static void Scratch(SourceWriter writer, string type, string name, string pooled, int count)
    {
        string memory = count <= StackLimit ? "stackalloc " + type + "[" + Literal.Of(count) + "]" : "pass." + pooled + "(count: " + Literal.Of(count) + ")";
        writer.Line(KnownTypeNames.SpanRef + "<" + type + "> " + name + " = " + memory + ";");
    }

    private static string Heading(LayerRun run) => PlanText.Layers(run.FirstLayer, run.LastLayer).Replace("layer", "Layer");

    /// <summary>Writes a loop over layers, or one call if there is one layer.</summary>
    public static void Loop(SourceWriter writer, int first, int last, string method)
    {
        if (first == last)
        {
            writer.Line("pass." + method + "(layer: " + Literal.Of(first) + ");");
            return;
        }

        using (writer.Open("for (int layer = " + Literal.Of(first) + "; layer <= " + Literal.Of(last) + "; layer++)"))
        {
            writer.Line("pass." + method + "(layer);");
        }
    }
}
