namespace Espalier.Graphs;

/// <summary>One dimension of an input or output: a length, or a symbol that stands for any length.</summary>
internal readonly record struct Dimension(long Length, string? Symbol)
{
    /// <summary>A fixed length.</summary>
    public static implicit operator Dimension(int length) => new(length, null);

    /// <summary>A length that is known only when the graph runs.</summary>
    public static implicit operator Dimension(string symbol) => new(0, symbol);
}
