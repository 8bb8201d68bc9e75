namespace Espalier.Tests;

/// <summary>The logits of one run, step by step, against those of another.</summary>
internal static class LogitComparison
{
    /// <summary>The largest difference of two logits of the same token; not a number where one of them is none.</summary>
    public static float LargestDifference(List<float[]> expected, List<float[]> found)
    {
        Assert.Equal(expected.Count, found.Count);
        float largest = 0;
        for (int step = 0; step < expected.Count; step++)
        {
            Assert.Equal(expected[step].Length, found[step].Length);
            for (int i = 0; i < expected[step].Length; i++)
            {
                largest = MathF.Max(largest, MathF.Abs(expected[step][i] - found[step][i]));
            }
        }

        return largest;
    }

    /// <summary>Fails at the first logit that is not near the expected one.</summary>
    public static void AssertClose(List<float[]> expected, List<float[]> found, float tolerance)
    {
        Assert.Equal(expected.Count, found.Count);
        for (int step = 0; step < expected.Count; step++)
        {
            Assert.Equal(expected[step].Length, found[step].Length);
            for (int i = 0; i < expected[step].Length; i++)
            {
                Assert.True(MathF.Abs(expected[step][i] - found[step][i]) < tolerance, $"Step {step}, token {i}: {expected[step][i]} on the CPU, {found[step][i]} on the device.");
            }
        }
    }
}
