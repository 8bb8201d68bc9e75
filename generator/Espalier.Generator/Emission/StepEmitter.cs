using System.Text;
using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes one reduction between layers: a comment that says what happens to how many tokens, and a braced block.</summary>
internal static class StepEmitter
{
    /// <summary>Elements up to which scratch lies on the stack; larger scratch belongs to the pass.</summary>
    public const int StackLimit = 1024;

    /// <summary>Writes the step.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="step">The step.</param>
    /// <param name="isBehindDynamic">True if only the image says how many tokens are there.</param>
    /// <param name="scored">The layer before, if it is the one that hands out the scores; it then runs inside of the block.</param>
    /// <param name="partial">What visual tokens do there, if they do less than text.</param>
    public static void Emit(SourceWriter writer, Step step, bool isBehindDynamic, LayerRun? scored, string? partial = null)
    {
        if (step.IsExit)
        {
            writer.Line("// " + Site(step) + ": all " + (isBehindDynamic ? "" : PlanText.Count(step.TokensBefore) + " ") + "visual tokens leave the sequence"
                + (step.Registers == 0 ? "" : "; what " + PlanText.Registers(step.Registers) + " read of them stays") + " (" + step.Declaration + ").");
            writer.Line("pass.ExitVisual();");
            return;
        }

        if (scored is not null)
        {
            writer.Line("// " + PrefillEmitter.Heading(scored) + ": " + (scored.Kind.IsFrozen() ? "frozen" : scored.Kind.IsPartial() ? "partial" : "dense") + ", " + PlanTable.AtMost(isBehindDynamic) + PlanText.Count(scored.VisualTokens)
                + " visual tokens" + (partial is null ? "" : " that " + partial) + "; " + ScoreTraits.Of(step.Score).Source + " is its score.");
        }

        writer.Line("// " + Site(step) + ": " + Kept(step) + ", " + CompressTraits.Of(step.Compress).Rest(step) + (step.RelevantText > 0 ? ", and text behind the image by the same rule" : "")
            + (step.Positions == Positions.Renumber ? ", and the rows are renumbered" : "") + " (" + step.Declaration + ").");
        using (writer.Open())
        {
            CountEmitter.Declare(writer, step, isBehindDynamic);
            EmitSelection(writer, step, isBehindDynamic, scored);
            writer.Line(step.IsMerge ? "pass.MergeVisual(merge);" : "pass.KeepVisual(" + CountEmitter.Kept(step) + ");");
            if (step.RelevantText > 0)
            {
                writer.Line("pass.KeepRelevantText(theta: " + PlanText.Plain(step.RelevantText) + ");");
            }

            if (step.Positions == Positions.Renumber)
            {
                writer.Line("pass.RenumberRows();");
            }
        }
    }

    private static void EmitSelection(SourceWriter writer, Step step, bool isBehindDynamic, LayerRun? scored)
    {
        if (step.Score == Score.Random)
        {
            Scratch(writer, "int", "kept", "Kept", step.TokensAfter, CountEmitter.CutToStay(step));
            writer.Line(KnownTypeNames.TokenSelectionRef + ".Random(visualTokens: " + CountEmitter.Before(step, isBehindDynamic) + ", seed: " + Literal.Of(step.Seed) + ", kept);");
            return;
        }

        string? score = scored is not null ? "pass.Run" + scored.Kind + "(layer: " + Literal.Of(step.AfterLayer) + ", scores);"
            : step.ScorerType is not null ? "pass.ScoreVisual<" + step.ScorerType + ">(scores);"
            : ScoreTraits.Of(step.Score).AsksNextLayer ? "pass.ScoreAhead(layer: " + Literal.Of(step.AfterLayer + 1) + ", scores);" : null;
        if (score is not null)
        {
            Scratch(writer, "float", "scores", "Scores", step.TokensBefore, CountEmitter.CutToTokens(isBehindDynamic));
        }

        if (step.Kernel?.Counting is { } counting)
        {
            // How many rows the merge has depends on the attention, so the layer runs before it.
            writer.Line(score!);
            score = null;
            writer.Line("int " + CountEmitter.Keep + " = " + Call(counting, Inputs(counting.Inputs) + CountEmitter.TokensArgument(step, isBehindDynamic), results: "", function: "Count"));
            writer.Line("int " + CountEmitter.Stay + " = " + KnownTypeNames.RecyclingRef + ".Left(" + CountEmitter.TokensArgument(step, isBehindDynamic) + CountEmitter.Keep
                + ", tau: " + PlanText.Plain(step.Kernel.Find("tau")!.Value) + ");");
        }

        if (step.IsMerge)
        {
            writer.Line(KnownTypeNames.RowMergeRef + " merge = pass.Merge(rows: " + (step.IsDynamic ? CountEmitter.Stay : Literal.Of(step.TokensAfter)) + ");");
        }
        else
        {
            Scratch(writer, "int", "kept", "Kept", step.TokensAfter, CountEmitter.CutToStay(step));
        }

        if (score is not null)
        {
            writer.Line(score);
        }

        writer.Line(step.Kernel is { } kernel
            ? (step.IsMerge ? "" : CountEmitter.Receive(step)) + Call(kernel, Inputs(kernel.Inputs) + (kernel.Counting is null ? "" : CountEmitter.Keep + ", "), step.IsMerge ? "merge" : "kept")
            : KnownTypeNames.TokenSelectionRef + ".TopK(scores, kept);");
    }

    /// <summary>The call of a kernel, as a statement.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="inputs">What it reads, with a comma and a space behind each.</param>
    /// <param name="results">What it writes; nothing if that is what it returns.</param>
    /// <param name="function">The function of its class.</param>
    public static string Call(Kernel kernel, string inputs, string results, string function = "Select")
    {
        var call = new StringBuilder("global::" + KnownTypeNames.Namespace + "." + kernel.Name + "." + function + "(" + inputs);
        foreach (KernelArgument argument in kernel.Arguments)
        {
            call.Append(argument.Name).Append(": ").Append(argument.Member is { } member ? "global::" + KnownTypeNames.Namespace + "." + member : PlanText.Plain(argument.Value)).Append(", ");
        }

        if (kernel.Scratch > 0)
        {
            call.Append("pass.Scratch(count: ").Append(Literal.Of(kernel.Scratch)).Append("), ");
        }

        if (results.Length == 0)
        {
            call.Length -= ", ".Length;
        }

        return call.Append(results).Append(");").ToString();
    }

    /// <summary>What a kernel reads, with a comma and a space behind each.</summary>
    public static string Inputs(KernelInputs inputs, string tokens = "") =>
        ((inputs & KernelInputs.Scores) != 0 ? "scores, " : "")
        + ((inputs & KernelInputs.TextKeyNorms) != 0 ? "pass.TextKeyNorms, " : "")
        + ((inputs & KernelInputs.NormedRows) != 0 ? "pass.FinalNorm(), " : "")
        + ((inputs & KernelInputs.Rows) != 0 ? "pass.VisualRows, " : "")
        + ((inputs & KernelInputs.Features) != 0 ? "pass.Features, " : "")
        + ((inputs & KernelInputs.ClsAttention) != 0 ? "pass.ClsAttention, " : "")
        + ((inputs & KernelInputs.Projected) != 0 ? "pass.Projected, tokens: " + tokens + ", " : "")
        + ((inputs & KernelInputs.TextRelevance) != 0 ? "pass.TextRelevance, " : "")
        + ((inputs & (KernelInputs.Map | KernelInputs.SoftmaxMap)) != 0 ? "pass.AttentionMap, " : "")
        + ((inputs & KernelInputs.Keys) != 0 ? "pass.Keys, " : "")
        + ((inputs & KernelInputs.TextScores) != 0 ? "pass.TextScores, " : "")
        + ((inputs & KernelInputs.RaterRank) != 0 ? "pass.RaterRank, " : "")
        + ((inputs & KernelInputs.RaterAttention) != 0 ? "pass.RaterAttention, " : "");

    private static string Kept(Step step) => step.IsDynamic
        ? (step.Score == Score.Random ? "" : "the ") + "visual tokens" + (step.Score == Score.Random ? ", " : " ") + ScoreTraits.Of(step.Score).Choice(step) + ", at most " + PlanText.Count(step.TokensAfter)
        : (step.Score == Score.Random ? "" : "the ") + PlanText.Count(step.TokensKept) + " visual tokens" + (step.Score == Score.Random ? ", " : " ") + ScoreTraits.Of(step.Score).Choice(step);

    private static string Site(Step step) => step.AfterLayer < 0 ? "Before layer 0" : "After layer " + Literal.Of(step.AfterLayer);

    /// <summary>Declares a span: on the stack if it is small, else the pass's.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="type">The element.</param>
    /// <param name="name">The span.</param>
    /// <param name="pooled">The member of the pass that lends memory.</param>
    /// <param name="count">Elements; at most, if <paramref name="cut"/> is given.</param>
    /// <param name="cut">The local that holds the elements that are used; empty for all.</param>
    public static void Scratch(SourceWriter writer, string type, string name, string pooled, int count, string cut = "")
    {
        string memory = count <= StackLimit ? "stackalloc " + type + "[" + Literal.Of(count) + "]" : "pass." + pooled + "(count: " + Literal.Of(count) + ")";
        if (cut.Length > 0)
        {
            memory = (count <= StackLimit ? "(" + memory + ")" : memory) + "[.." + cut + "]";
        }

        writer.Line(KnownTypeNames.SpanRef + "<" + type + "> " + name + " = " + memory + ";");
    }
}
