#pragma warning disable CS1591 // Not the public face of anything.
using System;

namespace Espalier;

public interface ITokenScorer
{
    static abstract void Score(in TokenScoreContext context, Span<float> scores);
}

/// <summary>Rows of one number each, ascending.</summary>
public readonly ref struct TokenScoreContext(ReadOnlySpan<float> rows)
{
    private readonly ReadOnlySpan<float> _rows = rows;

    public int Layer => 0;

    public int Count => _rows.Length;

    public ReadOnlySpan<float> Row(int index) => _rows.Slice(index, 1);
}

public struct Ascending : ITokenScorer
{
    public static void Score(in TokenScoreContext context, Span<float> scores)
    {
        for (int i = 0; i < context.Count; i++)
        {
            scores[i] = context.Row(i)[0];
        }
    }
}
