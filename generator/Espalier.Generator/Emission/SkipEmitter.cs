using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes decode layers in halves, of which the second may be skipped.</summary>
internal static class SkipEmitter
{
    private const string Skip = "skip";

    /// <summary>Declares the local that counts the feed-forward layers still to be skipped.</summary>
    public static void Declare(SourceWriter writer, FeedForwardSkips skips)
    {
        writer.Line("// In layers " + PlanText.Range(skips.FirstLayer, skips.LastLayer) + " a feed-forward layer that hardly turns its row (a cosine of " + PlanText.Plain(skips.Threshold) + " or more) lets "
            + (skips.Following == 1 ? "that of the next layer" : "those of the next " + PlanText.Count(skips.Following) + " layers") + " be skipped"
            + (skips.WarmUp == 0 ? "" : ", but not in the first " + (skips.WarmUp == 1 ? "decode step" : PlanText.Count(skips.WarmUp) + " decode steps") + " of an answer") + " (" + skips.Declaration + ").");
        writer.Line("int " + Skip + " = 0;");
    }

    /// <summary>Writes a run of such layers: attention, and the feed-forward layer unless it is skipped.</summary>
    public static void Loop(SourceWriter writer, FeedForwardSkips skips, int first, int last)
    {
        bool loops = last > first;
        string layer = loops ? "layer" : "layer: " + Literal.Of(first);
        if (!loops)
        {
            Body(writer, skips, layer);
            return;
        }

        using (writer.Open("for (int layer = " + Literal.Of(first) + "; layer <= " + Literal.Of(last) + "; layer++)"))
        {
            Body(writer, skips, layer);
        }
    }

    private static void Body(SourceWriter writer, FeedForwardSkips skips, string layer)
    {
        writer.Line("pass.RunDecodeAttention(" + layer + ");");
        using (writer.Open("if (" + Skip + " > 0)"))
        {
            writer.Line("pass.SkipFeedForward(" + layer + ");");
            writer.Line(Skip + "--;");
        }

        using (writer.Open("else if (pass.RunDecodeFeedForward(" + layer + ") >= " + PlanText.Plain(skips.Threshold) + " && pass.AnswerTokens > " + Literal.Of(skips.WarmUp) + ")"))
        {
            writer.Line(Skip + " = " + Literal.Of(skips.Following) + ";");
        }
    }
}
