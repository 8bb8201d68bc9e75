using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes layers inside of which visual rows are merged: attention, merge, feed-forward layer; a loop where the same happens in several layers.</summary>
internal static class MergingEmitter
{
    /// <summary>Writes the layers.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="first">The step inside of the first layer.</param>
    /// <param name="lastLayer">The last layer inside of which the same happens.</param>
    public static void Emit(SourceWriter writer, ReductionPlan plan, Step first, int lastLayer)
    {
        int by = first.TokensBefore - first.TokensAfter;
        int left = plan.StepInside(lastLayer)!.TokensAfter;
        bool loops = lastLayer > first.AfterLayer;
        writer.Line("// " + PrefillEmitter.Heading(first.AfterLayer, lastLayer) + ": dense; between the attention and the feed-forward layer" + (loops ? " of each, " : ", ")
            + PlanText.Count(by) + " visual tokens go into others by " + PlanTable.DescribeScore(first) + (first.Positions == Positions.Renumber ? " and the rows are renumbered" : "")
            + ": " + PlanText.Count(first.TokensBefore) + " become " + PlanText.Count(left) + " (" + first.Declaration + ").");
        string layer = loops ? "layer" : "layer: " + Literal.Of(first.AfterLayer);
        string rows = loops ? "tokens - " + Literal.Of(by) : Literal.Of(first.TokensAfter);
        string header = loops
            ? "for (int layer = " + Literal.Of(first.AfterLayer) + ", tokens = " + Literal.Of(first.TokensBefore) + "; layer <= " + Literal.Of(lastLayer) + "; layer++, tokens -= " + Literal.Of(by) + ")"
            : "";
        using (writer.Open(header))
        {
            writer.Line("pass.RunAttention(" + layer + ");");
            writer.Line(KnownTypeNames.RowMergeRef + " merge = pass.Merge(rows: " + rows + ");");
            writer.Line(StepEmitter.Call(first.Kernel!, StepEmitter.Inputs(first.Kernel!.Inputs), "merge"));
            writer.Line("pass.MergeVisual(merge);");
            if (first.Positions == Positions.Renumber)
            {
                writer.Line("pass.RenumberRows();");
            }

            writer.Line("pass.RunFeedForward(" + layer + ");");
        }
    }
}
