using Espalier.Planning;

namespace Espalier;

/// <summary>What the last answer of a sequence took. Times are wall-clock.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="PromptTokens">Positions of the prompt: prefix, image and suffix. Reductions before the decoder that make positions contiguous shorten the image; others do not.</param>
/// <param name="CachedPromptTokens">Prefix rows that came from the prefix cache and were not computed.</param>
/// <param name="Vision">Vision tower, projector and what is reduced between them and the decoder; preprocessing is not counted.</param>
/// <param name="Prefill">From the embedded rows to the logits of the first token: prefix (if not cached), layers, steps, head.</param>
/// <param name="Decode">All decode steps together, sampling and detokenising included.</param>
/// <param name="GeneratedTokens">Tokens that were chosen, a stop token included.</param>
/// <param name="FinishReason">Why the answer ended.</param>
public readonly record struct AnswerStatistics(
    int PromptTokens,
    int CachedPromptTokens,
    TimeSpan Vision,
    TimeSpan Prefill,
    TimeSpan Decode,
    int GeneratedTokens,
    FinishReason FinishReason)
{
    /// <summary>Visual rows in each segment of the plan, in order: what the plan says, or where it can only say "at most", what this image took; of a segment with gates, what entered it. Empty before a prefill.</summary>
    public EquatableArray<int> VisualTokens { get; init; }

    /// <summary>The zero-based decoder layer behind which all visual tokens of the prompt left, by the plan or by a gate; null if some stayed in all layers. A continued conversation keeps what its first prompt said.</summary>
    public int? ExitLayer { get; init; }

    /// <summary>Feed-forward layers that the decode steps of the answer skipped, of one a step and decoder layer; 0 unless the plan lets them (<see cref="ReductionPlan.Skips"/>).</summary>
    public int SkippedFeedForwards { get; init; }

    /// <summary>Text tokens that have left the KV caches since the first prompt of the conversation, looked at before each decode step; 0 unless the plan lets them (<see cref="ReductionPlan.Eviction"/>).</summary>
    public int EvictedTextTokens { get; init; }

    /// <summary>Decode steps a second; 0 if there was none. The first token comes from prefill and does not count.</summary>
    public double TokensPerSecond => GeneratedTokens > 1 && Decode > TimeSpan.Zero ? (GeneratedTokens - 1) / Decode.TotalSeconds : 0;
}
