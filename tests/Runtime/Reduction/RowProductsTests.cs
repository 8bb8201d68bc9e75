using static Espalier.Tests.Reduction.ReductionGoldens;

namespace Espalier.Tests.Reduction;

/// <summary>Products of a row with others against plain sums, and the same bits wherever the other stands.</summary>
public sealed class RowProductsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(33)]
    [InlineData(72)]
    public void EqualsAPlainSumAndItselfAlone(int width)
    {
        int stride = width + 3;
        float[] row = Floats(Lcg(width, 1));
        float[] others = Floats(Lcg(11 * stride, 2));
        for (int count = 0; count <= 11; count++)
        {
            float[] products = new float[count];
            RowProducts.Multiply(row, others, stride, products);
            for (int other = 0; other < count; other++)
            {
                float[] alone = new float[1];
                RowProducts.Multiply(others.AsSpan(other * stride, width), row, width, alone);
                Assert.Equal(BitConverter.SingleToInt32Bits(alone[0]), BitConverter.SingleToInt32Bits(products[other]));
                Assert.Equal(Enumerable.Range(0, width).Sum(i => (double)row[i] * others[(other * stride) + i]), products[other], 1e-5);
            }
        }
    }

    [Fact]
    public void OthersThatAreNotThereAreRefused()
    {
        Assert.Throws<ArgumentException>(() => RowProducts.Multiply(new float[4], new float[15], 4, new float[4]));
        Assert.Throws<ArgumentException>(() => RowProducts.Multiply(new float[4], new float[16], 3, new float[2]));
        RowProducts.Multiply(new float[4], new float[16], 4, new float[4]);
    }
}
