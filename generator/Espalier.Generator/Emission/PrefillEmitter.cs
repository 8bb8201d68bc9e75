using System;
using System.Linq;
using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes the prefill loop: a loop a run of layers, a braced block a reduction.</summary>
internal static class PrefillEmitter
{
    public static void Emit(SourceWriter writer, ReductionPlan plan, bool allowsUnsafe)
    {
        writer.Line("/// <summary>Prefill: runs the visual tokens and the text behind them through layers 0-" + Literal.Of(plan.Layers - 1)
            + " and leaves the KV caches and the logits of the last row.</summary>");
        writer.Line("/// <param name=\"pass\">The bound sessions and the buffers. Nothing managed is allocated once a prompt of this shape has run.</param>");
        if (allowsUnsafe && plan.Steps.Any(step => step is { IsExit: false, Site: Site.DecoderBoundary } && step.TokensAfter <= StepEmitter.StackLimit))
        {
            writer.Line("[" + KnownTypeNames.SkipLocalsInitRef + "]");
        }

        using (writer.Open("protected override void Prefill(" + KnownTypeNames.ForwardPassRef + " pass)"))
        {
            writer.Line("pass.BeginPrefill" + (plan.EntersDynamic ? "AtMost" : "") + "(visualTokens: " + Literal.Of(plan.DecoderVisualTokens) + (plan.Registers == 0 ? "" : ", registers: " + Literal.Of(plan.Registers)) + ");");
            if (plan.Steps.FirstOrDefault(step => ScoreTraits.Of(step.Score).Kind.IsRaterScored()) is { } rated)
            {
                writer.Line();
                writer.Line("// Of the text behind the image, the tokens that resemble the visual tokens more than text tokens do on average are the raters (" + rated.Declaration + ").");
                writer.Line("pass.ChooseRaters();");
            }

            if (plan.Steps.FirstOrDefault(step => step is { AfterLayer: < 0, IsVisionSide: false }) is { } first)
            {
                writer.Line();
                StepEmitter.Emit(writer, first, plan.EntersDynamic, scored: null);
            }

            if (plan.Gates is not null)
            {
                writer.Line();
                GateEmitter.Declare(writer, plan.Gates);
            }

            int written = -1;
            foreach (LayerRun run in plan.PrefillRuns())
            {
                if (run.LastLayer <= written)
                {
                    continue;
                }

                writer.Line();
                written = run.LastLayer;
                if (run.Kind.IsHalved())
                {
                    written = plan.LastLayerAlike(run.FirstLayer);
                    MergingEmitter.Emit(writer, plan, plan.StepInside(run.FirstLayer)!, written);
                    EmitBoundary(writer, plan, written);
                    EmitGate(writer, plan, written);
                    continue;
                }

                Step? step = plan.StepBehind(run.LastLayer);
                if (run.Kind.IsScored())
                {
                    // The layer writes into scratch of the step behind it, so it runs inside of the step's block.
                    StepEmitter.Emit(writer, step!, plan.IsDynamicAt(run.LastLayer), run, run.Kind.IsPartial() ? plan.PartialAt(run.FirstLayer)!.Tell(plan.Geometry.Text) : null);
                }
                else
                {
                    EmitRun(writer, plan, run, step is null ? plan.Gates : null);
                    EmitBoundary(writer, plan, run.LastLayer);
                }

                if (step is not null)
                {
                    EmitGate(writer, plan, step.AfterLayer);
                }
            }

            writer.Line();
            writer.Line("pass.EndPrefill();");
        }
    }

    private static void EmitGate(SourceWriter writer, ReductionPlan plan, int layer)
    {
        if (plan.Gates?.IsBehind(layer) == true)
        {
            writer.Line();
            GateEmitter.AskAlone(writer, plan.Gates, layer);
        }
    }

    private static void EmitBoundary(SourceWriter writer, ReductionPlan plan, int layer)
    {
        if (plan.StepBehind(layer) is { } step)
        {
            writer.Line();
            StepEmitter.Emit(writer, step, plan.IsDynamicAt(layer), scored: null);
        }
    }

    private static void EmitRun(SourceWriter writer, ReductionPlan plan, LayerRun run, ExitGates? gates)
    {
        int registers = plan.Registers;
        string behind = registers == 0 ? "" : " and " + PlanText.Registers(registers);
        string text = registers == 0 ? "text only" : "text" + behind;
        bool isGated = gates?.IsBehind(run.LastLayer) == true;
        string visual = PlanTable.AtMost(plan.IsDynamicAt(run.FirstLayer)) + PlanText.Count(run.VisualTokens) + " visual tokens" + (isGated ? " while they are there" : gates?.IsBehind(run.FirstLayer - 1) == true ? ", or none," : "");
        string treatment = run switch
        {
            { Kind: LayerKind.LastRow, VisualTokens: 0 } => text + ", and of all rows only the last is computed",
            { Kind: LayerKind.LastRow } => visual + behind + " are read, and of all rows only the last is computed",
            { VisualTokens: 0 } => text,
            { Kind: LayerKind.Frozen } => "frozen, " + visual + " are read by attention but not updated" + (registers == 0 ? "" : "; " + PlanText.Registers(registers) + (registers == 1 ? " is" : " are")),
            { Kind: LayerKind.Partial } => "partial, " + visual + " " + plan.PartialAt(run.FirstLayer)!.Tell(plan.Geometry.Text) + "; text" + behind + (registers == 0 ? " does" : " do") + " everything",
            _ => "dense, " + visual + behind,
        };
        writer.Line("// " + Heading(run) + ": " + treatment + ".");
        if (isGated)
        {
            GateEmitter.Loop(writer, run, gates!);
            return;
        }

        Loop(writer, run.FirstLayer, run.LastLayer, "Run" + run.Kind);
    }

    /// <summary>"Layers 2-4" or "Layer 5".</summary>
    public static string Heading(LayerRun run) => Heading(run.FirstLayer, run.LastLayer);

    /// <inheritdoc cref="Heading(LayerRun)"/>
    public static string Heading(int first, int last) => PlanText.Layers(first, last).Replace("layer", "Layer");

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
