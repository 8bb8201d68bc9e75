namespace Espalier;

/// <summary>What an <see cref="ITokenScorer"/> sees: the hidden rows of the visual tokens that are still there, and which ones they are.</summary>
/// <remarks>A view on the memory of a running prefill, valid during the call. Several threads may read it, none writes it.</remarks>
public readonly ref struct TokenScoreContext
{
    internal TokenScoreContext(ReadOnlySpan<float> rows, ReadOnlySpan<int> tokens, int layer)
    {
        Rows = rows;
        Tokens = tokens;
        Layer = layer;
        Hidden = rows.Length / tokens.Length;
    }

    /// <summary>The hidden states behind <see cref="Layer"/>, fp32, row-major <c>[Count, Hidden]</c>; the residual stream, before any norm.</summary>
    public ReadOnlySpan<float> Rows { get; }

    /// <summary>For each row, the number of its token in the image as the tower emits them (row-major patches). Ascending, unless tokens were merged before the decoder:
    /// a merged token has the number of the one that it stands for, and the tower's CLS token is -1.</summary>
    public ReadOnlySpan<int> Tokens { get; }

    /// <summary>The zero-based decoder layer that the rows come out of; -1 before the first.</summary>
    public int Layer { get; }

    /// <summary>Width of a row.</summary>
    public int Hidden { get; }

    /// <summary>Visual tokens that are there.</summary>
    public int Count => Tokens.Length;

    /// <summary>One row.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public ReadOnlySpan<float> Row(int index) => Rows.Slice(index * Hidden, Hidden);
}
