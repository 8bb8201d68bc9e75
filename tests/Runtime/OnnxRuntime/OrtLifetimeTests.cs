using System.Diagnostics;
using System.Runtime.CompilerServices;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.OnnxRuntime;

/// <summary>These run alone: they dispose the environment that all other tests use, and measure the process's memory.</summary>
[CollectionDefinition(nameof(OrtLifetimeTests), DisableParallelization = true)]
[Collection(nameof(OrtLifetimeTests))]
public class OrtLifetimeTests
{
    /// <summary>All orders in which six objects can be let go: 720.</summary>
    [Fact]
    public void HandlesCanBeDisposedInAnyOrder()
    {
        byte[] model = TinyModel.MatMul(2, 3, null);
        foreach (int[] order in Permutations(6))
        {
            using var buffer = NativeBuffer.Allocate<float>(6);
            OrtValue w = OrtValue.Over(buffer, [2, 3], OrtElementType.Float);
            PrepackedWeights prepacked = PrepackedWeights.Create();
            OrtSessionOptions options = OrtSessionOptions.Create();
            options.AddExternalInitializer("w", w);
            OrtSession session = OrtSession.Create(model, options, prepacked);
            OrtBinding binding = OrtBinding.Create(session);
            IDisposable[] handles = [w, prepacked, options, session, binding, buffer];
            foreach (int index in order)
            {
                handles[index].Dispose();
            }

            Assert.Throws<ObjectDisposedException>(() => session.Run(binding));
            Assert.Throws<ObjectDisposedException>(() => OrtBinding.Create(session));
        }
    }

    [Fact]
    public void ABindingRunsAlthoughEverythingBehindItWasDisposed()
    {
        using var x = OrtSessionTests.Tensor([1, 2], 1, 1);
        using var y = OrtSessionTests.Tensor([1, 3]);
        OrtSession session;
        OrtBinding binding;
        using (OrtValue w = OrtSessionTests.Tensor([2, 3], 1, 2, 3, 4, 5, 6))
        using (PrepackedWeights prepacked = PrepackedWeights.Create())
        {
            session = OrtSessionTests.Create(TinyModel.MatMul(2, 3, null), options => options.AddExternalInitializer("w", w), prepacked);
            binding = OrtBinding.Create(session);
            session.Dispose();
        }

        binding.BindInput("x\0"u8, x);
        binding.BindOutput("y\0"u8, y);
        session.Run(binding);
        binding.Dispose();

        Assert.Equal([5, 7, 9], y.AsSpan<float>().ToArray());
    }

    [Fact]
    public void TheEnvironmentOutlivesItsSessionsAndCanBeCreatedAgain()
    {
        OrtEnvironment environment = OrtEnvironment.Shared;
        OrtSession session = OrtSessionTests.Create(TinyModel.MatMul(2, 3, [1, 2, 3, 4, 5, 6]));
        environment.Dispose();
        Assert.Equal([5, 7, 9], OrtSessionTests.Multiply(session, [1, 1], 3));

        // While the old one is still held by its session, and after it is gone.
        using (OrtSession second = OrtSessionTests.Create(TinyModel.MatMul(2, 3, [1, 2, 3, 4, 5, 6])))
        {
            Assert.Equal([5, 7, 9], OrtSessionTests.Multiply(second, [1, 1], 3));
        }

        session.Dispose();
        OrtEnvironment.Shared.Dispose();
        using OrtSession third = OrtSessionTests.Create(TinyModel.MatMul(2, 3, [1, 2, 3, 4, 5, 6]));
        Assert.Equal([5, 7, 9], OrtSessionTests.Multiply(third, [1, 1], 3));
        Assert.NotSame(environment, OrtEnvironment.Shared);
    }

    [Fact]
    public void WhatIsForgottenIsReleasedByItsFinalizers()
    {
        WeakReference buffer = Forget();
        for (int i = 0; i < 10 && buffer.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(buffer.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Forget()
        {
            var memory = NativeBuffer.Allocate<float>(6);
            OrtValue w = OrtValue.Over(memory, [2, 3], OrtElementType.Float);
            OrtSession session = OrtSessionTests.Create(TinyModel.MatMul(2, 3, null), options => options.AddExternalInitializer("w", w), PrepackedWeights.Create());
            _ = OrtBinding.Create(session);
            return new WeakReference(memory, trackResurrection: true);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PackedWeightsAreSharedOnlyThroughTheContainer(bool share)
    {
        // 64 MB, so that another packed copy cannot hide in the noise of the process's memory.
        const int Size = 4096;
        using OrtValue w = OrtValue.Allocate([Size, Size], OrtElementType.Float);
        for (int i = 0; i < Size; i++)
        {
            w.AsSpan<float>()[(i * Size) + i] = 2;
        }

        byte[] model = TinyModel.MatMul(Size, Size, null);
        using PrepackedWeights? prepacked = share ? PrepackedWeights.Create() : null;
        using OrtSession first = OrtSessionTests.Create(model, options => options.AddExternalInitializer("w", w), prepacked);
        long before = ResidentBytes();
        using OrtSession second = OrtSessionTests.Create(model, options => options.AddExternalInitializer("w", w), prepacked);
        long growth = ResidentBytes() - before;

        var x = new float[Size];
        x[3] = 1;
        x[4000] = 4;
        foreach (OrtSession session in (OrtSession[])[first, second])
        {
            float[] y = OrtSessionTests.Multiply(session, x, Size);
            Assert.Equal(2, y[3]);
            Assert.Equal(8, y[4000]);
            Assert.Equal(10, y.Sum());
        }

        if (OperatingSystem.IsLinux())
        {
            const long Packed = (long)Size * Size * 4;
            Assert.True(share ? growth < Packed / 2 : growth > Packed / 2, $"The second session took {growth:N0} bytes.");
        }
    }

    private static IEnumerable<int[]> Permutations(int count)
    {
        if (count == 0)
        {
            yield return [];
            yield break;
        }

        foreach (int[] shorter in Permutations(count - 1))
        {
            for (int position = 0; position < count; position++)
            {
                yield return [.. shorter[..position], count - 1, .. shorter[position..]];
            }
        }
    }

    private static long ResidentBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
