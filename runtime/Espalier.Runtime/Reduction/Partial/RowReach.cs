using Espalier.Planning;

namespace Espalier;

/// <summary>Which visual rows a visual row reads in a layer in which it attends to some of them alone.</summary>
/// <param name="work">What visual rows do.</param>
/// <param name="grid">Patches along one side of the image.</param>
internal readonly struct RowReach(PartialWork work, int grid)
{
    /// <summary>True if a row reads another, or itself.</summary>
    /// <param name="tokens">The visual token of the image that each row is, ascending.</param>
    /// <param name="row">The row.</param>
    /// <param name="key">The row that is read.</param>
    public bool Reads(ReadOnlySpan<int> tokens, int row, int key)
    {
        switch (work.Reach)
        {
            case VisualReach.All:
                return key <= row;
            case VisualReach.Preceding:
                return key <= row && row - key <= work.Distance;
            default:
                (int line, int column) = Math.DivRem(tokens[row], grid);
                (int keyLine, int keyColumn) = Math.DivRem(tokens[key], grid);
                return (key <= row || work.Reach == VisualReach.NeighboursAround) && Math.Abs(line - keyLine) <= work.Distance && Math.Abs(column - keyColumn) <= work.Distance;
        }
    }

    /// <summary>The rows that some rows which follow each other read: from the first to behind the last of them.</summary>
    /// <param name="tokens">The visual token of the image that each row is, ascending.</param>
    /// <param name="start">The first row.</param>
    /// <param name="stop">The row behind the last.</param>
    public (int First, int End) Keys(ReadOnlySpan<int> tokens, int start, int stop)
    {
        switch (work.Reach)
        {
            case VisualReach.All:
                return (0, stop);
            case VisualReach.Preceding:
                return (Math.Max(0, start - work.Distance), stop);
            default:
                // Tokens ascend along the lines of the grid, so the corners of the square are the ends.
                int least = tokens[start] - (work.Distance * (grid + 1));
                int greatest = tokens[stop - 1] + (work.Distance * (grid + 1));
                int first = start;
                while (first > 0 && tokens[first - 1] >= least)
                {
                    first--;
                }

                int end = stop;
                while (work.Reach == VisualReach.NeighboursAround && end < tokens.Length && tokens[end] <= greatest)
                {
                    end++;
                }

                return (first, end);
        }
    }
}
