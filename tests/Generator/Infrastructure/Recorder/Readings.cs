#pragma warning disable CS1591 // Not the public face of anything.
using System;

namespace Espalier;

public readonly ref struct AttentionMap(int visualRows)
{
    public int VisualRows { get; } = visualRows;
}

public readonly ref struct RaterAttention(int visualRows)
{
    public int VisualRows { get; } = visualRows;
}

public readonly ref struct RowMerge(Span<int> kept)
{
    public Span<int> Kept { get; } = kept;
}
