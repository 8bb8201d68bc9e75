namespace Espalier;

/// <summary>How the next token is chosen from the logits, and when an answer ends.</summary>
/// <remarks>Immutable, thread-safe. The default is greedy decoding: the same input gives the same answer.</remarks>
public sealed record AnswerOptions
{
    /// <summary>0 (the default) takes the most likely token, ties by the lower id; above 0 samples from softmax(logits / temperature).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, NaN or infinite.</exception>
    public float Temperature
    {
        get;
        init => field = value >= 0f && float.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(nameof(Temperature), value, "The temperature is a finite number of at least 0.");
    }

    /// <summary>Samples only from the smallest set of tokens whose probabilities sum to this (nucleus sampling, arXiv 1904.09751). 1 (the default) is the whole vocabulary.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not in (0, 1].</exception>
    public float TopP
    {
        get;
        init => field = value is > 0f and <= 1f ? value : throw new ArgumentOutOfRangeException(nameof(TopP), value, "TopP lies in (0, 1].");
    }

    = 1f;

    /// <summary>Seed of the sampler; the same seed and input give the same answer. Not used when <see cref="Temperature"/> is 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>Texts that end an answer where one of them begins; none of it is given out. Text that may be the beginning of one is held back until that is decided. None by default.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MaximumStopSequences"/>, or one is empty or longer than <see cref="MaximumStopLength"/>.</exception>
    public IReadOnlyList<string> StopSequences
    {
        get;
        init => field = CheckStops(value);
    }

    = [];

    /// <summary>Tokens that an answer has at the most.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int MaxNewTokens
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxNewTokens), value, "An answer has at least one token.");
    }

    = 256;

    /// <summary>How many stop sequences there can be.</summary>
    public const int MaximumStopSequences = 16;

    /// <summary>How long a stop sequence can be, in UTF-16 units.</summary>
    public const int MaximumStopLength = 256;

    private static IReadOnlyList<string> CheckStops(IReadOnlyList<string> stops)
    {
        ArgumentNullException.ThrowIfNull(stops, nameof(StopSequences));
        if (stops.Count > MaximumStopSequences)
        {
            throw new ArgumentException($"{stops.Count} stop sequences were given; at most {MaximumStopSequences} are looked for.", nameof(StopSequences));
        }

        // A copy: nobody changes what was checked.
        string[] copy = [.. stops];
        return Array.Exists(copy, static stop => string.IsNullOrEmpty(stop) || stop.Length > MaximumStopLength)
            ? throw new ArgumentException($"A stop sequence has 1 to {MaximumStopLength} characters.", nameof(StopSequences))
            : copy;
    }
}
