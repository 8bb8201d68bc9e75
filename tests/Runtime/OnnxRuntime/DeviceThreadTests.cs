using Espalier.OnnxRuntime;

namespace Espalier.Tests.OnnxRuntime;

/// <summary>The thread that replays: one for all callers, who take turns and get what went wrong.</summary>
public sealed class DeviceThreadTests
{
    [Fact]
    public void AllCallersShareOneThread()
    {
        var thread = new DeviceThread("test");
        int[] ids = new int[64];
        int atOnce = 0;
        Parallel.For(0, ids.Length, i => thread.Run(() =>
        {
            Assert.Equal(1, Interlocked.Increment(ref atOnce));
            ids[i] = Environment.CurrentManagedThreadId;
            Interlocked.Decrement(ref atOnce);
        }));
        Assert.Single(ids.Distinct());
        Assert.NotEqual(Environment.CurrentManagedThreadId, ids[0]);
    }

    [Fact]
    public void AFailureReachesItsCallerAndNobodyElse()
    {
        var thread = new DeviceThread("test");
        var failure = Assert.Throws<InvalidDataException>(() => thread.Run(static () => throw new InvalidDataException("this one")));
        Assert.Equal("this one", failure.Message);
        bool ran = false;
        thread.Run(() => thread.Run(() => ran = true));
        Assert.True(ran);
    }

    [Fact]
    public void ACallAllocatesNothing()
    {
        var thread = new DeviceThread("test");
        int count = 0;
        Action work = () => count++;
        thread.Run(work);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            thread.Run(work);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(101, count);
    }
}
