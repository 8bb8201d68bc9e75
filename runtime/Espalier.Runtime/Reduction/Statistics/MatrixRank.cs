namespace Espalier;

/// <summary>The numerical rank of a matrix: its singular values above the largest one times the larger side times the precision of fp32, as PyTorch and NumPy count for such a matrix.</summary>
/// <remarks>
/// Singular values are the roots of the eigenvalues of the rows' products with each other. These are formed and diagonalised in double precision, by Jacobi's rotations: squared, the threshold lies below what
/// fp32 resolves. No allocation. Thread-safe.
/// </remarks>
internal static class MatrixRank
{
    private const int MostSweeps = 60;

    /// <summary>The rank.</summary>
    /// <param name="matrix">The matrix, row by row.</param>
    /// <param name="rows">Its rows, at least one.</param>
    /// <param name="products">The square of the rows, overwritten.</param>
    public static int Of(ReadOnlySpan<float> matrix, int rows, Span<double> products)
    {
        int columns = matrix.Length / rows;
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double product = Dot(matrix.Slice(i * columns, columns), matrix.Slice(j * columns, columns));
                products[(i * rows) + j] = product;
                products[(j * rows) + i] = product;
            }
        }

        Diagonalise(products, rows);
        double largest = 0;
        for (int i = 0; i < rows; i++)
        {
            largest = Math.Max(largest, products[(i * rows) + i]);
        }

        const double Precision = 1.0 / (1 << 23);
        double threshold = Math.Max(rows, columns) * Precision;
        int rank = 0;
        for (int i = 0; i < rows; i++)
        {
            rank += products[(i * rows) + i] > largest * threshold * threshold ? 1 : 0;
        }

        return rank;
    }

    private static double Dot(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        double sum = 0;
        for (int i = 0; i < one.Length; i++)
        {
            sum += (double)one[i] * other[i];
        }

        return sum;
    }

    /// <summary>Cyclic Jacobi: rotates pairs of rows and columns until nothing is left beside the diagonal.</summary>
    private static void Diagonalise(Span<double> a, int n)
    {
        // Beside the largest eigenvalue, which is at least a share of the trace, this is far below the threshold of a rank.
        double trace = 0;
        for (int i = 0; i < n; i++)
        {
            trace += a[(i * n) + i];
        }

        bool rotated = true;
        for (int sweep = 0; rotated && sweep < MostSweeps; sweep++)
        {
            rotated = false;
            for (int p = 0; p < n - 1; p++)
            {
                for (int q = p + 1; q < n; q++)
                {
                    double beside = a[(p * n) + q];
                    if (Math.Abs(beside) > 1e-16 * trace)
                    {
                        Rotate(a, n, p, q, beside);
                        rotated = true;
                    }
                }
            }
        }
    }

    private static void Rotate(Span<double> a, int n, int p, int q, double beside)
    {
        double cotangent = (a[(q * n) + q] - a[(p * n) + p]) / (2 * beside);
        double tangent = Math.CopySign(1, cotangent) / (Math.Abs(cotangent) + Math.Sqrt((cotangent * cotangent) + 1));
        double cosine = 1 / Math.Sqrt((tangent * tangent) + 1);
        double sine = tangent * cosine;
        for (int k = 0; k < n; k++)
        {
            (double one, double other) = (a[(k * n) + p], a[(k * n) + q]);
            a[(k * n) + p] = (cosine * one) - (sine * other);
            a[(k * n) + q] = (sine * one) + (cosine * other);
        }

        for (int k = 0; k < n; k++)
        {
            (double one, double other) = (a[(p * n) + k], a[(q * n) + k]);
            a[(p * n) + k] = (cosine * one) - (sine * other);
            a[(q * n) + k] = (sine * one) + (cosine * other);
        }
    }
}
