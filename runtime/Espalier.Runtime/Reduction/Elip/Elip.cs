namespace Espalier;

/// <summary>ELIP (Guo et al., arXiv 2309.16738), its parameter-free part: the patches that the CLS token attends to stay, the others become one token.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/Elip.md.</remarks>
public static class Elip
{
    /// <summary>Keeps the tokens with the highest attention, in their order, and merges all others into one more, the last, by their share of the attention.</summary>
    /// <param name="clsAttention">One score a token; none is negative.</param>
    /// <param name="merge">Receives the merge. The last token stands where the highest score of the others was; if they all score zero, it is their mean.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or no two tokens would become one.</exception>
    public static void Select(ReadOnlySpan<float> clsAttention, RowMerge merge)
    {
        if (clsAttention.Length != merge.Rows || merge.Kept.IsEmpty || merge.Absorbed.IsEmpty)
        {
            throw new ArgumentException($"{clsAttention.Length} scores do not say which of {merge.Rows} tokens stay as {merge.Kept.Length}.", nameof(merge));
        }

        int stay = merge.Kept.Length - 1;
        Span<int> kept = merge.Kept[..stay];
        TokenSelection.TopK(clsAttention, kept);

        int best = -1;
        float sum = 0;
        int next = 0;
        for (int token = 0; token < clsAttention.Length; token++)
        {
            if (next < stay && kept[next] == token)
            {
                next++;
                continue;
            }

            sum += clsAttention[token];
            best = best < 0 || clsAttention[token] > clsAttention[best] ? token : best;
        }

        int others = merge.Absorbed.Length + 1;
        float Share(float score) => sum > 0 ? score / sum : 1f / others;
        merge.Kept[stay] = best;
        merge.Own[..stay].Fill(1);
        merge.Own[stay] = Share(clsAttention[best]);
        merge.Shares.Clear();
        Span<float> shares = merge.Shares[(stay * merge.Absorbed.Length)..];
        next = 0;
        int absorbed = 0;
        for (int token = 0; token < clsAttention.Length; token++)
        {
            if (next < stay && kept[next] == token)
            {
                next++;
            }
            else if (token != best)
            {
                merge.Absorbed[absorbed] = token;
                shares[absorbed++] = Share(clsAttention[token]);
            }
        }
    }
}
