using System.Text.Json.Serialization;

namespace Espalier.Samples.ChatServer.Api;

/// <summary>A whole answer.</summary>
internal sealed record Completion(string Id, string Object, long Created, string Model, IReadOnlyList<Choice> Choices, Usage Usage, VisualReport? VisualTokens);

/// <summary>The one answer.</summary>
internal sealed record Choice(int Index, AnswerMessage Message, string FinishReason);

/// <summary>What the assistant says.</summary>
internal sealed record AnswerMessage(string Role, string Content);

/// <summary>A piece of a streamed answer.</summary>
internal sealed record CompletionChunk(string Id, string Object, long Created, string Model, IReadOnlyList<ChunkChoice> Choices, Usage? Usage, VisualReport? VisualTokens);

/// <summary>The piece.</summary>
internal sealed record ChunkChoice(int Index, Delta Delta, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

/// <summary>What a piece adds.</summary>
internal sealed record Delta(string? Role, string? Content);

/// <summary>What an answer took.</summary>
internal sealed record Usage(long PromptTokens, long CompletionTokens, long TotalTokens, PromptTokensDetails PromptTokensDetails);

/// <summary>Of the prompt: tokens that were not computed again, and the image's.</summary>
internal sealed record PromptTokensDetails(long CachedTokens, long VisualTokensSeen, long VisualTokensKept);

/// <summary>What became of the image's tokens.</summary>
/// <param name="Grid">Tokens in a row of the picture.</param>
/// <param name="Segments">The plan's segments, in order of layers.</param>
/// <param name="VisionMs">Milliseconds from the pixels to the decoder.</param>
/// <param name="PrefillMs">Milliseconds from there to the first token.</param>
/// <param name="TokensPerSecond">Decode steps a second; 0 if there was none.</param>
/// <param name="Continued">True if the image was still there from an earlier request; the times are then those of the new text alone.</param>
internal sealed record VisualReport(int Grid, IReadOnlyList<VisualSegment> Segments, double VisionMs, double PrefillMs, double TokensPerSecond, bool Continued);

/// <summary>A run of layers and the tokens that it works on.</summary>
/// <param name="FirstLayer">The first layer.</param>
/// <param name="LastLayer">The last layer.</param>
/// <param name="Mode"><c>dense</c>, <c>frozen</c> or <c>partial</c>.</param>
/// <param name="Tokens">Numbers of the tokens, row by row; -1 is the tower's CLS token.</param>
internal sealed record VisualSegment(int FirstLayer, int LastLayer, string Mode, IReadOnlyList<int> Tokens);
