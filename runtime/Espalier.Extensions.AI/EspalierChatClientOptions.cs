using Espalier.Imaging;

namespace Espalier.Extensions.AI;

/// <summary>What a chat client may take, and what applies where a request says nothing.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed record EspalierChatClientOptions
{
    /// <summary>The most messages that a request may hold.</summary>
    public const int MaximumMessages = 256;

    /// <summary>Sequences that exist at the most: requests that run at the same time, and conversations whose image is remembered. 4 unless set. Further requests wait. Each takes the KV cache of <see cref="Capacity"/> positions.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int MaximumSequences
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaximumSequences), value, "At least one sequence is needed.");
    }

    = 4;

    /// <summary>Positions of each sequence: image, conversation and answer. Null (the default) is what the model was trained for.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1. A capacity that the model cannot have fails when the client is made.</exception>
    public int? Capacity
    {
        get;
        init => field = value is null or >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(Capacity), value, "A sequence has at least one position.");
    }

    /// <summary>What an image may take.</summary>
    public ImageLimits ImageLimits { get; init; } = ImageLimits.Default;

    /// <summary>Characters that the texts of a request may have together, checked before they are tokenised. 65,536 unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int MaximumTextLength
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaximumTextLength), value, "A request has at least one character.");
    }

    = 65_536;

    /// <summary>Sampling and length where the request's <see cref="Microsoft.Extensions.AI.ChatOptions"/> say nothing. Greedy and 256 tokens unless set.</summary>
    public AnswerOptions Defaults { get; init; } = new();

    /// <summary>The most tokens that a request can ask for; null (the default) is what the sequence has room for.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int? MaximumOutputTokens
    {
        get;
        init => field = value is null or >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaximumOutputTokens), value, "An answer has at least one token.");
    }

    /// <summary>What responses and metrics call the model. Null (the default) is the name of its class.</summary>
    public string? ModelId { get; init; }
}
