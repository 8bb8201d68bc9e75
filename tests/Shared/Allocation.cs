namespace Espalier.Tests;

/// <summary>What tests say of managed memory.</summary>
internal static class Allocation
{
    /// <summary>Requires that a run allocates nothing managed once the same run has gone before.</summary>
    /// <param name="run">What runs.</param>
    /// <param name="times">How often it runs while the bytes are counted.</param>
    public static void AssertNone(Action run, int times = 1)
    {
        run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < times; i++)
        {
            run();
        }

        long after = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(0, after - before);
    }
}
