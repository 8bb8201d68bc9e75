using Espalier.Graphs;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.Checkpoints;

/// <summary>Rounding to 16 bits: to the nearest, halfway to the even one, in every place of a vector.</summary>
public sealed class HalfConversionTests
{
    [Theory]
    [InlineData(nameof(OrtElementType.Float16))]
    [InlineData(nameof(OrtElementType.BFloat16))]
    public void EveryNumberOf16BitsComesBack(string name)
    {
        OrtElementType half = Enum.Parse<OrtElementType>(name);
        var all = new ushort[1 << 16];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = (ushort)i;
        }

        var widened = new float[all.Length];
        var rounded = new ushort[all.Length];
        HalfConversion.Widen(all, widened, half);
        HalfConversion.Round(widened, rounded, half);
        for (int i = 0; i < all.Length; i++)
        {
            if (float.IsNaN(widened[i]))
            {
                HalfConversion.Widen([rounded[i]], widened.AsSpan(i, 1), half);
                Assert.True(float.IsNaN(widened[i]));
            }
            else
            {
                Assert.Equal(all[i], rounded[i]);
            }
        }
    }

    [Fact]
    public void HalfwayGoesToTheEvenNeighbour()
    {
        // 1 + k/2048 lies halfway between two numbers of ten bits for odd k, 1 + k/256 between two of seven.
        float[] values = [1 + (1f / 2048), 1 + (3f / 2048), 1 + (1f / 2048) + (1f / (1 << 20)), -1 - (1f / 2048), 65520, 65519, 1e-8f, float.PositiveInfinity];
        ushort[] expected = [0x3C00, 0x3C02, 0x3C01, 0xBC00, 0x7C00, 0x7BFF, 0, 0x7C00];
        var rounded = new ushort[values.Length];
        HalfConversion.Round(values, rounded, OrtElementType.Float16);
        Assert.Equal(expected, rounded);

        float[] coarse = [1 + (1f / 256), 1 + (3f / 256), 1 + (1f / 256) + (1f / (1 << 20)), -1 - (1f / 256), float.MaxValue, 3.38e38f, 1e-45f, float.NegativeInfinity];
        ushort[] expectedCoarse = [0x3F80, 0x3F82, 0x3F81, 0xBF80, 0x7F80, 0x7F7E, 0, 0xFF80];
        HalfConversion.Round(coarse, rounded, OrtElementType.BFloat16);
        Assert.Equal(expectedCoarse, rounded);
    }

    [Fact]
    public void AWeightThatDoesNotFitIsNamed()
    {
        using OrtValue whole = OrtValue.Allocate([2], OrtElementType.Float);
        whole.AsSpan<float>()[1] = 70000;
        var use = new WeightUse("some.weight", OrtElementType.Float, [2]);
        var error = Assert.Throws<WeightRangeException>(() => RoundedWeights.Round(use.Rounded(OrtElementType.Float16), whole, "model.safetensors"));
        Assert.Equal("some.weight", error.Tensor);
        Assert.Contains("Precision.BFloat16", error.Message, StringComparison.Ordinal);
        using OrtValue fits = RoundedWeights.Round(use.Rounded(OrtElementType.BFloat16), whole, "model.safetensors");
        Assert.Equal([0, 0x4789], fits.AsSpan<ushort>().ToArray());
    }

    [Fact]
    public void VectorsRoundAsSingleNumbersDo()
    {
        // Bits of every exponent; the lengths leave every rest of a vector.
        var random = new Random(7);
        var values = new float[259];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
        }

        foreach (OrtElementType half in (OrtElementType[])[OrtElementType.Float16, OrtElementType.BFloat16])
        {
            var together = new ushort[values.Length];
            HalfConversion.Round(values, together, half);
            for (int i = 0; i < values.Length; i++)
            {
                ushort[] alone = [0];
                HalfConversion.Round(values.AsSpan(i, 1), alone, half);
                Assert.Equal(alone[0], together[i]);
                if (half == OrtElementType.Float16)
                {
                    Assert.Equal(BitConverter.HalfToUInt16Bits((Half)values[i]), together[i]);
                }
            }
        }
    }
}
