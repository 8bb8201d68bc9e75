namespace Espalier;

/// <summary>What the checkpoint recommends for generating: <c>generation_config.json</c>, else the fields of <c>config.json</c>. Immutable, thread-safe.</summary>
public sealed class GenerationDefaults
{
    /// <summary>Token ids that end an answer; empty if the checkpoint names none.</summary>
    public IReadOnlyList<int> EosTokenIds { get; internal init; } = [];

    /// <summary>The token id that starts a text, if the family has one.</summary>
    public int? BosTokenId { get; internal init; }

    /// <summary>True if the checkpoint recommends sampling, false for greedy decoding.</summary>
    public bool Sample { get; internal init; }

    /// <summary>Divisor of the logits, above 0, or null.</summary>
    public float? Temperature { get; internal init; }

    /// <summary>Probability mass to sample from, 0 to 1, or null.</summary>
    public float? TopP { get; internal init; }

    /// <summary>Number of likeliest tokens to sample from, or null.</summary>
    public int? TopK { get; internal init; }

    /// <summary>Longest answer in tokens, or null.</summary>
    public int? MaxNewTokens { get; internal init; }
}
