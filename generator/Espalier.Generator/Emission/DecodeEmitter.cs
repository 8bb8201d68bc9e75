using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes the decode loop: a loop a run of layers whose caches hold equally many visual rows.</summary>
internal static class DecodeEmitter
{
    public static void Emit(SourceWriter writer, ReductionPlan plan)
    {
        writer.Line("/// <summary>Decode: runs one new row through layers 0-" + Literal.Of(plan.Layers - 1) + " and leaves its logits.</summary>");
        writer.Line("/// <param name=\"pass\">The bound sessions and the buffers. Nothing managed is allocated.</param>");
        using (writer.Open("protected override void DecodeStep(" + KnownTypeNames.ForwardPassRef + " pass)"))
        {
            writer.Line("pass.BeginDecode();");
            foreach (CacheRun run in plan.DecodeRuns())
            {
                string caches = (run.FirstLayer == run.LastLayer ? ": its cache holds " : ": each cache holds ")
                    + (run.VisualTokens == 0 ? "no visual row" : PlanTable.AtMost(plan.IsDynamicAt(run.FirstLayer) || plan.Gates?.IsBehind(run.LastLayer - 1) == true) + PlanText.Count(run.VisualTokens) + (run.VisualTokens == 1 ? " visual row" : " visual rows"))
                    + (plan.Registers == 0 ? "" : " and " + PlanText.Registers(plan.Registers));
                writer.Line();
                writer.Line("// " + PlanText.Layers(run.FirstLayer, run.LastLayer).Replace("layer", "Layer") + caches + ".");
                PrefillEmitter.Loop(writer, run.FirstLayer, run.LastLayer, "RunDecode");
            }

            writer.Line();
            writer.Line("pass.EndDecode();");
        }
    }
}
