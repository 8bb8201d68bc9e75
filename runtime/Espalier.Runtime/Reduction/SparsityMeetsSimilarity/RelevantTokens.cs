namespace Espalier;

/// <summary>Sparsity Meets Similarity (Yu et al., arXiv 2409.01162), second round: the tokens whose score reaches a multiple of the mean.</summary>
/// <remarks>Scores in fp32, their mean in double precision; no allocation. Thread-safe. Definition and deviations: generator/docs/methods/SparsityMeetsSimilarity.md.</remarks>
public static class RelevantTokens
{
    /// <summary>Chooses the tokens. If none reaches the threshold, the one with the highest score stays; of equal ones the first.</summary>
    /// <param name="scores">One score a token; at least one.</param>
    /// <param name="theta">The multiple of the mean score.</param>
    /// <param name="kept">Receives the indices, ascending; as long as there are tokens, or longer.</param>
    /// <returns>How many tokens stay.</returns>
    /// <exception cref="ArgumentException">There is no token, or no room for all.</exception>
    public static int Select(ReadOnlySpan<float> scores, double theta, Span<int> kept)
    {
        if (scores.IsEmpty || kept.Length < scores.Length)
        {
            throw new ArgumentException($"There are {scores.Length} tokens and room for {kept.Length}.", nameof(kept));
        }

        // In double precision, where the sum of equal numbers is exact: a mean that is rounded upwards would lie above all of them.
        double sum = 0;
        foreach (float score in scores)
        {
            sum += score;
        }

        double threshold = sum / scores.Length * theta;
        int count = 0;
        for (int token = 0; token < scores.Length; token++)
        {
            if (scores[token] >= threshold)
            {
                kept[count++] = token;
            }
        }

        if (count == 0)
        {
            TokenSelection.TopK(scores, kept[..1]);
            count = 1;
        }

        return count;
    }
}
