using System;
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
    /// <param name="scored">The layer before, if it is the one that hands out the scores; it then runs inside of the block.</param>
    public static void Emit(SourceWriter writer, Step step, LayerRun? scored)
    {
        if (step.IsExit)
        {
            writer.Line("// " + Site(step) + ": all " + PlanText.Count(step.TokensBefore) + " visual tokens leave the sequence (" + step.Declaration + ").");
            writer.Line("pass.ExitVisual();");
            return;
        }

        if (scored is not null)
        {
            writer.Line("// " + PrefillEmitter.Heading(scored) + ": " + (scored.Kind.IsFrozen() ? "frozen" : "dense") + ", " + PlanText.Count(scored.VisualTokens)
                + " visual tokens; " + (scored.Kind.IsTextScored() ? "the attention of the text rows behind them to each, on average," : "the last row's attention to each") + " is its score.");
        }

        writer.Line("// " + Site(step) + ": " + Selection(step) + ", " + PlanText.Count(step.TokensBefore - step.TokensAfter) + " leave"
            + (step.Positions == Positions.Renumber ? ", and the rows are renumbered" : "") + " (" + step.Declaration + ").");
        using (writer.Open())
        {
            EmitSelection(writer, step, scored);
            writer.Line("pass.KeepVisual(kept);");
            if (step.Positions == Positions.Renumber)
            {
                writer.Line("pass.RenumberRows();");
            }
        }
    }

    private static void EmitSelection(SourceWriter writer, Step step, LayerRun? scored)
    {
        if (step.Score == Score.Random)
        {
            Scratch(writer, "int", "kept", "Kept", step.TokensAfter);
            writer.Line(KnownTypeNames.TokenSelectionRef + ".Random(visualTokens: " + Literal.Of(step.TokensBefore) + ", seed: " + Literal.Of(step.Seed) + ", kept);");
            return;
        }

        Scratch(writer, "float", "scores", "Scores", step.TokensBefore);
        Scratch(writer, "int", "kept", "Kept", step.TokensAfter);
        writer.Line(step.Score switch
        {
            Score.LastQueryAttention or Score.TextAttention => "pass.Run" + scored!.Kind + "(layer: " + Literal.Of(step.AfterLayer) + ", scores);",
            Score.NextLayerAttention => "pass.ScoreAhead(layer: " + Literal.Of(step.AfterLayer + 1) + ", scores);",
            Score.Custom => "pass.ScoreVisual<" + step.ScorerType + ">(scores);",
            _ => throw new ArgumentOutOfRangeException(nameof(step), step.Score, "A step that keeps some tokens ranks them."),
        });
        writer.Line(KnownTypeNames.TokenSelectionRef + ".TopK(scores, kept);");
    }

    private static string Selection(Step step)
    {
        string stay = PlanText.Count(step.TokensAfter) + " visual tokens";
        return step.Score switch
        {
            Score.Random => stay + ", chosen by chance from seed " + Literal.Of(step.Seed) + ", stay",
            Score.Custom => "the " + stay + " that " + PlanText.ShortType(step.ScorerType!) + " ranks highest stay",
            Score.NextLayerAttention => "the " + stay + " that the last row would attend to most in layer " + Literal.Of(step.AfterLayer + 1) + " stay",
            _ => "the " + stay + " with the highest scores stay",
        };
    }

    private static string Site(Step step) => step.AfterLayer < 0 ? "Before layer 0" : "After layer " + Literal.Of(step.AfterLayer);

    /// <summary>Declares a span: on the stack if it is small, else the pass's.</summary>
    public static void Scratch(SourceWriter writer, string type, string name, string pooled, int count)
    {
        string memory = count <= StackLimit ? "stackalloc " + type + "[" + Literal.Of(count) + "]" : "pass." + pooled + "(count: " + Literal.Of(count) + ")";
        writer.Line(KnownTypeNames.SpanRef + "<" + type + "> " + name + " = " + memory + ";");
    }
}
