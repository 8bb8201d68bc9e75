using System.Globalization;

namespace Espalier.Graphs;

/// <summary>A run of rows or columns of a weight.</summary>
/// <param name="Start">The first.</param>
/// <param name="Count">How many.</param>
internal readonly record struct SliceRun(int Start, int Count);

/// <summary>Some rows, or some columns, of a checkpoint's weight.</summary>
/// <remarks>Rows that follow each other lie in the mapping as they are; all else is copied once for a checkpoint.</remarks>
/// <param name="Whole">The canonical name of the whole weight.</param>
/// <param name="WholeShape">Its shape in the checkpoint.</param>
/// <param name="OfColumns">True for columns, the second dimension; false for rows, or for elements of a vector.</param>
/// <param name="Runs">The rows or columns, in order.</param>
internal sealed record WeightSlice(string Whole, long[] WholeShape, bool OfColumns, SliceRun[] Runs)
{
    /// <summary>The shape of the slice.</summary>
    public long[] Shape => WholeShape.Length == 1 ? [Count] : OfColumns ? [WholeShape[0], Count] : [Count, WholeShape[1]];

    /// <summary>The name of the slice, which no other slice has.</summary>
    public string Name => Whole + (OfColumns ? ".columns" : ".rows") + string.Concat(Runs.Select(static run => string.Create(CultureInfo.InvariantCulture, $".{run.Start}-{run.Start + run.Count - 1}")));

    private long Count => Runs.Sum(static run => (long)run.Count);

    /// <summary>True if the slice lies in one piece.</summary>
    public bool IsContiguous => !OfColumns && Runs.Length == 1;

    /// <summary>The first rows or columns.</summary>
    public static WeightSlice First(string whole, long[] shape, bool ofColumns, int count) => new(whole, shape, ofColumns, [new SliceRun(0, count)]);

    /// <summary>The rows or columns of some heads, each of them <paramref name="width"/> wide.</summary>
    public static WeightSlice OfHeads(string whole, long[] shape, bool ofColumns, ReadOnlySpan<int> heads, int width)
    {
        var runs = new List<SliceRun>();
        foreach (int head in heads)
        {
            bool follows = runs.Count > 0 && runs[^1].Start + runs[^1].Count == head * width;
            if (follows)
            {
                runs[^1] = runs[^1] with { Count = runs[^1].Count + width };
            }
            else
            {
                runs.Add(new SliceRun(head * width, width));
            }
        }

        return new WeightSlice(whole, shape, ofColumns, [.. runs]);
    }

    /// <summary>Copies the slice out of the whole.</summary>
    /// <param name="tensor">The whole weight.</param>
    /// <param name="destination">Receives the elements, row-major.</param>
    public void Copy(CheckpointTensor tensor, Span<float> destination)
    {
        long width = WholeShape.Length == 1 ? 1 : WholeShape[1];
        long lines = OfColumns ? WholeShape[0] : 1;
        long pitch = OfColumns ? width : 0;
        long unit = OfColumns ? 1 : width;
        int written = 0;
        for (long line = 0; line < lines; line++)
        {
            foreach (SliceRun run in Runs)
            {
                int elements = checked((int)(run.Count * unit));
                tensor.ReadFloats((line * pitch) + (run.Start * unit), destination.Slice(written, elements));
                written += elements;
            }
        }
    }
}
