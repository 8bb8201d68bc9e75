using System.Runtime.CompilerServices;

namespace Espalier;

/// <summary>Picks the visual tokens that stay. Pure arithmetic over a few hundred floats on the host; never allocates.</summary>
/// <remarks>Thread-safe. Deterministic: equal scores are broken by the lower index, so the same scores give the same tokens everywhere.</remarks>
public static class TokenSelection
{
    /// <summary>Writes the indices of the <c>kept.Length</c> highest scores, ascending.</summary>
    /// <param name="scores">One score a visual token, fp32. NaN ranks below every number.</param>
    /// <param name="kept">Receives the indices in ascending order; its length is the keep count, at most <c>scores.Length</c>.</param>
    /// <exception cref="ArgumentException">More tokens are asked for than there are.</exception>
    public static void TopK(ReadOnlySpan<float> scores, Span<int> kept)
    {
        if (kept.Length > scores.Length)
        {
            throw new ArgumentException($"Cannot keep {kept.Length} of {scores.Length} visual tokens.", nameof(kept));
        }

        if (kept.IsEmpty)
        {
            return;
        }

        // A token stays if its rank, the number of tokens that beat it, is below the keep count. The threshold key of that
        // rank is found by bisection over the 64-bit keys (score, then lower index first): no scratch, no sort, no ties.
        ulong low = 0;
        ulong high = ulong.MaxValue;
        while (low < high)
        {
            ulong middle = low + ((high - low) / 2) + 1;
            if (CountAtLeast(scores, middle) >= kept.Length)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        int next = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            if (Key(scores[i], i) >= low)
            {
                kept[next++] = i;
            }
        }
    }

    /// <summary>Writes the indices of so many tokens chosen by chance, ascending: every set is equally likely, and the seed fixes which one it is.</summary>
    /// <remarks>Knuth's algorithm S (The Art of Computer Programming, volume 2, 3.4.2): token i stays if a number below the tokens left to see is below the tokens left to choose. The numbers are
    /// SplitMix64's, one a token, scaled to the bound by the upper half of a 128-bit product; so another program can repeat the choice.</remarks>
    /// <param name="visualTokens">Tokens to choose from.</param>
    /// <param name="seed">Any number; the generator starts at its 64-bit two's complement.</param>
    /// <param name="kept">Receives the indices in ascending order; its length is the keep count, at most <paramref name="visualTokens"/>.</param>
    /// <exception cref="ArgumentException">More tokens are asked for than there are.</exception>
    public static void Random(int visualTokens, int seed, Span<int> kept)
    {
        if (kept.Length > visualTokens)
        {
            throw new ArgumentException($"Cannot keep {kept.Length} of {visualTokens} visual tokens.", nameof(kept));
        }

        var random = new SplitMix64(unchecked((ulong)seed));
        int next = 0;
        for (int token = 0; next < kept.Length; token++)
        {
            if (random.NextBelow(visualTokens - token) < kept.Length - next)
            {
                kept[next++] = token;
            }
        }
    }

    private static int CountAtLeast(ReadOnlySpan<float> scores, ulong threshold)
    {
        int count = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            count += Key(scores[i], i) >= threshold ? 1 : 0;
        }

        return count;
    }

    // Orders floats as unsigned integers: flips all bits of negatives and the sign of the others; both zeros are one value.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Key(float score, int index)
    {
        uint bits = float.IsNaN(score) ? 0u : BitConverter.SingleToUInt32Bits(score == 0f ? 0f : score);
        uint ordered = float.IsNaN(score) ? 0u : (bits & 0x8000_0000u) != 0 ? ~bits : bits | 0x8000_0000u;
        return ((ulong)ordered << 32) | (uint)(int.MaxValue - index);
    }
}
