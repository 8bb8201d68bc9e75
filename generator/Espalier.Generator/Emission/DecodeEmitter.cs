using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes the decode loop: a loop a run of layers whose caches hold equally many visual rows.</summary>
internal static class DecodeEmitter
{
    public static void Emit(SourceWriter writer, ReductionPlan plan)
    {
        writer.Line("/// <summary>Decode: runs the row of a new token, or the rows of a further question, through layers 0-" + Literal.Of(plan.Layers - 1) + " and leaves the logits of the last.</summary>");
        writer.Line("/// <param name=\"pass\">The bound sessions and the buffers. Nothing managed is allocated for a new token.</param>");
        using (writer.Open("protected override void DecodeStep(" + KnownTypeNames.ForwardPassRef + " pass)"))
        {
            writer.Line("pass.BeginDecode();");
            if (plan.Eviction is not null)
            {
                writer.Line();
                EvictionEmitter.Emit(writer, plan.Eviction);
            }

            EquatableArray<CacheRun> runs = plan.DecodeRuns();
            for (int i = 0; i < runs.Count; i++)
            {
                CacheRun run = runs[i];
                int last = LastFalling(plan, runs, i);
                writer.Line();
                if (plan.Skips is { } skips && run.FirstLayer == skips.FirstLayer)
                {
                    SkipEmitter.Declare(writer, skips);
                    writer.Line();
                }

                if (last > i)
                {
                    writer.Line("// " + PrefillEmitter.Heading(run.FirstLayer, runs[last].LastLayer) + ": the caches hold " + PlanText.Count(run.VisualTokens) + " to " + PlanText.Count(runs[last].VisualTokens)
                        + " visual rows, in each layer " + PlanText.Count(run.VisualTokens - runs[i + 1].VisualTokens) + " fewer.");
                    Loop(writer, plan, run.FirstLayer, runs[last].LastLayer);
                    i = last;
                    continue;
                }

                string caches = (run.FirstLayer == run.LastLayer ? ": its cache holds " : ": each cache holds ")
                    + (run.VisualTokens == 0 ? "no visual row" : PlanTable.AtMost(plan.IsDynamicAt(run.FirstLayer) || plan.Gates?.IsBehind(run.LastLayer - 1) == true) + PlanText.Count(run.VisualTokens) + (run.VisualTokens == 1 ? " visual row" : " visual rows"))
                    + (plan.Registers == 0 ? "" : " and " + PlanText.Registers(plan.Registers));
                writer.Line("// " + PrefillEmitter.Heading(run.FirstLayer, run.LastLayer) + caches + ".");
                Loop(writer, plan, run.FirstLayer, run.LastLayer);
            }

            writer.Line();
            writer.Line("pass.EndDecode();");
        }
    }

    private static void Loop(SourceWriter writer, ReductionPlan plan, int first, int last)
    {
        if (plan.MaySkipAt(first))
        {
            SkipEmitter.Loop(writer, plan.Skips!, first, last);
        }
        else
        {
            PrefillEmitter.Loop(writer, first, last, "RunDecode");
        }
    }

    /// <summary>The last of the runs from one on that are one layer long and whose counts fall evenly to some rows.</summary>
    private static int LastFalling(ReductionPlan plan, EquatableArray<CacheRun> runs, int first)
    {
        int last = first;
        while (last + 1 < runs.Count && runs[last].FirstLayer == runs[last].LastLayer && runs[last + 1] is { VisualTokens: > 0 } next && next.FirstLayer == next.LastLayer
            && plan.MaySkipAt(runs[first].FirstLayer) == plan.MaySkipAt(next.FirstLayer) && runs[last].VisualTokens - next.VisualTokens == runs[first].VisualTokens - runs[first + 1].VisualTokens)
        {
            last++;
        }

        return last;
    }
}
