using System.Numerics.Tensors;

namespace Espalier;

/// <summary>FoPru's row strategy (Jiang et al., arXiv 2411.14164): the rows of patches with the largest sums of significance stay, whole.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/FoPru.md.</remarks>
public static class FoPru
{
    /// <summary>Chooses the rows.</summary>
    /// <param name="significance">One number a patch, row by row.</param>
    /// <param name="side">Patches in a row.</param>
    /// <param name="scratch">A float a row.</param>
    /// <param name="kept">Receives the patches, ascending; its length is a multiple of <paramref name="side"/>.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(ReadOnlySpan<float> significance, int side, Span<float> scratch, Span<int> kept)
    {
        if (side <= 0 || significance.Length % side != 0 || kept.Length % side != 0 || kept.Length > significance.Length || scratch.Length < significance.Length / side)
        {
            throw new ArgumentException($"{kept.Length} of {significance.Length} patches are not whole rows of {side}, or {scratch.Length} floats of scratch are too few.", nameof(kept));
        }

        Span<float> sums = scratch[..(significance.Length / side)];
        for (int row = 0; row < sums.Length; row++)
        {
            sums[row] = TensorPrimitives.Sum(significance.Slice(row * side, side));
        }

        // The chosen rows are written where their patches end: the last row is spread first, and none is overwritten before it is read.
        int rows = kept.Length / side;
        Span<int> chosen = kept[..rows];
        TokenSelection.TopK(sums, chosen);
        for (int row = rows - 1; row >= 0; row--)
        {
            int first = chosen[row] * side;
            for (int column = side - 1; column >= 0; column--)
            {
                kept[(row * side) + column] = first + column;
            }
        }
    }
}
