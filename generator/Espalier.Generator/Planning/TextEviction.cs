using System;

namespace Espalier.Planning;

/// <summary>Text rows that leave the KV caches while text goes on: those between separators, once a separator has ended their segment and they are no longer near it (SepLLM, arXiv 2412.12094). Visual rows and registers stay. How many rows leave depends on the text.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Initial">Text tokens at the beginning of the prompt that stay.</param>
/// <param name="Neighbours">Text tokens up to a separator, itself among them, that stay when it ends a segment.</param>
/// <param name="Declaration">The policy as it was declared.</param>
public sealed record TextEviction(int Initial, int Neighbours, string Declaration)
{
    /// <summary>The fewest of so many text rows that a cache holds behind an eviction: if none of those that could leave is a separator.</summary>
    /// <param name="textTokens">Text tokens.</param>
    public int LeastRows(int textTokens) => (int)Math.Min(textTokens, (long)Initial + Neighbours);
}
