namespace Espalier;

/// <summary>FiCoCo-V's local penalty (arXiv 2411.17686, section 3.2): in each window of the patch grid the most redundant token counts as more redundant still, so that those that leave are spread over the image.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe.</remarks>
internal static class LocalPenalty
{
    /// <summary>In each window, multiplies the highest redundancy by a coefficient if it is above zero, or divides it if it is below.</summary>
    /// <remarks>The windows do not overlap; those at the right and the lower edge are smaller if the side is no multiple of the window. Patches that left earlier are not there.</remarks>
    /// <param name="redundancy">One number a token.</param>
    /// <param name="patches">The patch that each token is, row by row of the grid; ascending.</param>
    /// <param name="grid">Patches along a side of the image.</param>
    /// <param name="window">Patches along a side of a window.</param>
    /// <param name="coefficient">The factor.</param>
    /// <exception cref="ArgumentException">The lengths differ, or a size is not positive.</exception>
    public static void Apply(Span<float> redundancy, ReadOnlySpan<int> patches, int grid, int window, double coefficient)
    {
        if (redundancy.Length != patches.Length || grid <= 0 || window <= 0)
        {
            throw new ArgumentException($"Windows of {window} patches in a grid of {grid} do not fit {patches.Length} patches and {redundancy.Length} numbers.", nameof(patches));
        }

        // Rows of windows follow each other in the tokens, as rows of patches do.
        int first = 0;
        while (first < patches.Length)
        {
            int row = patches[first] / grid / window;
            int end = first + 1;
            while (end < patches.Length && patches[end] / grid / window == row)
            {
                end++;
            }

            for (int column = 0; column * window < grid; column++)
            {
                Penalise(redundancy[first..end], patches[first..end], grid, window, column, (float)coefficient);
            }

            first = end;
        }
    }

    private static void Penalise(Span<float> redundancy, ReadOnlySpan<int> patches, int grid, int window, int column, float coefficient)
    {
        int highest = -1;
        for (int i = 0; i < patches.Length; i++)
        {
            if (patches[i] % grid / window == column && (highest < 0 || redundancy[i] > redundancy[highest]))
            {
                highest = i;
            }
        }

        if (highest >= 0)
        {
            redundancy[highest] = redundancy[highest] > 0 ? redundancy[highest] * coefficient : redundancy[highest] / coefficient;
        }
    }
}
