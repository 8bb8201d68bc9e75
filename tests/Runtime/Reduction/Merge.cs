namespace Espalier.Tests.Reduction;

/// <summary>The memory of a merge, and what it makes of rows.</summary>
internal sealed class Merge(int kept, int absorbed)
{
    public int[] Kept { get; } = new int[kept];

    public int[] Absorbed { get; } = new int[absorbed];

    public float[] Own { get; } = new float[kept];

    public float[] Shares { get; } = new float[kept * absorbed];

    public RowMerge Rows => new(Kept, Absorbed, Own, Shares);

    /// <summary>The rows behind the merge, in doubles.</summary>
    public float[] Apply(float[] rows, int width) =>
    [
        .. Kept.SelectMany((row, k) => Enumerable.Range(0, width).Select(x => (float)(((double)Own[k] * rows[(row * width) + x])
            + Absorbed.Select((other, a) => (double)Shares[(k * Absorbed.Length) + a] * rows[(other * width) + x]).Sum()))),
    ];
}
