using System.Numerics.Tensors;

namespace Espalier;

/// <summary>The Moore-Penrose inverse of a matrix whose rows are independent: Mᵀ (M Mᵀ)⁻¹, by Cholesky's factors in doubles.</summary>
/// <remarks>Thread-safe.</remarks>
internal static class PseudoInverse
{
    // What of a row's square is left behind the others, at which it counts as one of their sums.
    private const double Least = 1e-8;

    /// <summary>Inverts a matrix [rows, columns] to [columns, rows]; null if a row is a sum of others, or nearly.</summary>
    /// <param name="matrix">The matrix, row by row.</param>
    /// <param name="rows">Its rows.</param>
    public static float[]? Of(ReadOnlySpan<float> matrix, int rows)
    {
        int columns = matrix.Length / rows;
        var solved = new double[matrix.Length];
        TensorPrimitives.ConvertTruncating<float, double>(matrix, solved);
        double[]? factor = Factor(solved, rows, columns);
        if (factor is null)
        {
            return null;
        }

        // L Y = M from the first row down, then Lᵀ Z = Y from the last row up; Z is the inverse, turned.
        for (int row = 0; row < rows; row++)
        {
            Span<double> current = solved.AsSpan(row * columns, columns);
            for (int other = 0; other < row; other++)
            {
                TensorPrimitives.MultiplyAdd(solved.AsSpan(other * columns, columns), -factor[(row * rows) + other], current, current);
            }

            TensorPrimitives.Divide(current, factor[(row * rows) + row], current);
        }

        for (int row = rows - 1; row >= 0; row--)
        {
            Span<double> current = solved.AsSpan(row * columns, columns);
            for (int other = row + 1; other < rows; other++)
            {
                TensorPrimitives.MultiplyAdd(solved.AsSpan(other * columns, columns), -factor[(other * rows) + row], current, current);
            }

            TensorPrimitives.Divide(current, factor[(row * rows) + row], current);
        }

        var inverse = new float[matrix.Length];
        for (int i = 0; i < solved.Length; i++)
        {
            inverse[(i % columns * rows) + (i / columns)] = (float)solved[i];
        }

        return inverse;
    }

    /// <summary>The lower factor L of M Mᵀ = L Lᵀ.</summary>
    private static double[]? Factor(double[] matrix, int rows, int columns)
    {
        var factor = new double[rows * rows];
        for (int row = 0; row < rows; row++)
        {
            Span<double> own = factor.AsSpan(row * rows, row);
            ReadOnlySpan<double> values = matrix.AsSpan(row * columns, columns);
            for (int other = 0; other < row; other++)
            {
                double product = TensorPrimitives.Dot(values, matrix.AsSpan(other * columns, columns));
                own[other] = (product - TensorPrimitives.Dot(own[..other], factor.AsSpan(other * rows, other))) / factor[(other * rows) + other];
            }

            double square = TensorPrimitives.Dot(values, values);
            double left = square - TensorPrimitives.Dot<double>(own, own);
            if (!(left > Least * square))
            {
                return null;
            }

            factor[(row * rows) + row] = Math.Sqrt(left);
        }

        return factor;
    }
}
