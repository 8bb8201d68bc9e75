using System.Text.Json.Nodes;

namespace Espalier.Evaluation;

/// <summary>One answer and what it took, as a run keeps it. Times in milliseconds; a step is one decoded token.</summary>
/// <param name="Text">The answer.</param>
/// <param name="PromptTokens">Positions of the prompt.</param>
/// <param name="Vision">Vision tower and projector.</param>
/// <param name="Prefill">Prefill.</param>
/// <param name="Step">Mean decode step; 0 if there was none.</param>
internal sealed record TakenAnswer(string Text, int PromptTokens, double Vision, double Prefill, double Step)
{
    /// <summary>Of the last answer of a candidate.</summary>
    public static TakenAnswer Of(string text, AnswerStatistics taken) => new(
        text,
        taken.PromptTokens,
        Math.Round(taken.Vision.TotalMilliseconds, 4),
        Math.Round(taken.Prefill.TotalMilliseconds, 4),
        taken.GeneratedTokens > 1 ? Math.Round(taken.Decode.TotalMilliseconds / (taken.GeneratedTokens - 1), 4) : 0);

    /// <summary>As an object of the log.</summary>
    public JsonObject ToJson() => new() { ["text"] = Text, ["prompt"] = PromptTokens, ["vision_ms"] = Vision, ["prefill_ms"] = Prefill, ["step_ms"] = Step };

    /// <summary>Back from an object of the log.</summary>
    public static TakenAnswer From(JsonNode json) => new(
        json["text"]!.GetValue<string>(), json["prompt"]!.GetValue<int>(), json["vision_ms"]!.GetValue<double>(), json["prefill_ms"]!.GetValue<double>(), json["step_ms"]!.GetValue<double>());
}
