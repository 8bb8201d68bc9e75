namespace Espalier;

/// <summary>A prompt has more positions than its sequence has room for.</summary>
public sealed class PromptTooLongException : EspalierException
{
    internal PromptTooLongException(int promptTokens, int capacity)
        : base($"The prompt has {promptTokens} positions, visual tokens included, but the sequence holds {capacity}. Create the sequence with a larger capacity.")
    {
        PromptTokens = promptTokens;
        Capacity = capacity;
    }

    /// <summary>Positions of the prompt before any reduction.</summary>
    public int PromptTokens { get; }

    /// <summary>Positions of the sequence.</summary>
    public int Capacity { get; }
}
