namespace Espalier.Tests.Sampling;

public sealed class SplitMix64Tests
{
    [Fact]
    public void GivesTheNumbersOfTheAuthorsProgram()
    {
        // The first numbers of the seed 1234567, as published with the generator's reference code.
        var random = new SplitMix64(1234567);
        foreach (ulong expected in (ulong[])[6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821])
        {
            Assert.Equal(expected, random.Next());
        }
    }

    [Fact]
    public void StaysInsideItsBounds()
    {
        var random = new SplitMix64(3);
        for (int bound = 1; bound < 2000; bound++)
        {
            Assert.InRange(random.NextBelow(bound), 0, bound - 1);
            Assert.InRange(random.NextUnit(), 0, 1 - double.Epsilon);
        }

        Assert.InRange(random.NextBelow(int.MaxValue), 0, int.MaxValue - 1);
    }
}
