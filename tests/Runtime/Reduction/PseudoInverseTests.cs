using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>The pseudo-inverse by what defines it, on the matrices of means and on any others.</summary>
public sealed class PseudoInverseTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(5, 5)]
    [InlineData(18, 36)]
    [InlineData(60, 144)]
    public void FulfilsPenrosesConditions(int rows, int columns)
    {
        float[] matrix = Floats(Lcg(rows * columns, 5));
        float[] inverse = PseudoInverse.Of(matrix, rows)!;

        // With independent rows M M⁺ is the identity, which gives three of the four; the fourth is that M⁺ M is symmetric.
        double[,] left = Product(matrix, inverse, rows, columns, rows);
        double[,] right = Product(inverse, matrix, columns, rows, columns);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < rows; j++)
            {
                Assert.Equal(i == j ? 1 : 0, left[i, j], 1e-4);
            }
        }

        for (int i = 0; i < columns; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                Assert.Equal(right[i, j], right[j, i], 1e-4);
            }
        }
    }

    [Fact]
    public void MeansComeBackAsTheyAreAndWhatIsInNoRowAsZero()
    {
        float[] means = [0.5f, 0, 0.5f, 0, 0, 0, 1, 0, 0, 0];
        Assert.Equal([1, 0, 0, 1, 1, 0, 0, 0, 0, 0], PseudoInverse.Of(means, 2)!, static (one, other) => Math.Abs(one - other) < 1e-6f);
    }

    [Theory]
    [InlineData(new float[] { 0.5f, 0.5f, 0, 0.5f, 0.5f, 0 }, 2)]
    [InlineData(new float[] { 1, 0, 0, 0, 1, 0, 0.5f, 0.5f, 0 }, 3)]
    [InlineData(new float[] { 1, 0, 0, 0 }, 2)]
    [InlineData(new float[] { 1, 0, 0, 1, 1, 1 }, 3)]
    public void RowsThatDependOnEachOtherHaveNone(float[] matrix, int rows) => Assert.Null(PseudoInverse.Of(matrix, rows));

    private static double[,] Product(float[] one, float[] other, int rows, int inner, int columns)
    {
        var product = new double[rows, columns];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                product[row, column] = Enumerable.Range(0, inner).Sum(k => (double)one[(row * inner) + k] * other[(k * columns) + column]);
            }
        }

        return product;
    }
}
