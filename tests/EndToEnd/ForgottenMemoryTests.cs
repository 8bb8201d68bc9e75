using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Espalier.OnnxRuntime;

namespace Espalier.Tests;

/// <summary>A tensor that nobody disposes goes with its owner: of a forgotten sequence there are dozens. Alone, since the whole process is measured.</summary>
[Collection(nameof(TracedRuns))]
public sealed unsafe class ForgottenMemoryTests
{
    private const int Tensors = 100_000;

    /// <summary>Far less than the smallest tensor takes, and far more than the runtime allocates for itself meanwhile.</summary>
    private const long MostBytes = 50 * Tensors;

    [Fact]
    public void AForgottenTensorIsReleased()
    {
        if (!NativeLibrary.TryLoad("libc.so.6", out nint libc) || !NativeLibrary.TryGetExport(libc, "mallinfo2", out nint mallinfo2))
        {
            // Only glibc tells what is allocated.
            return;
        }

        using var memory = NativeBuffer.Allocate<float>(4);
        Forget(memory);
        long before = Allocated();
        Forget(memory);
        Assert.InRange(Allocated() - before, long.MinValue, MostBytes);

        long Allocated()
        {
            Memory told = ((delegate* unmanaged[Cdecl]<Memory>)mallinfo2)();
            return (long)told.InUse;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(NativeBuffer memory)
    {
        for (int i = 0; i < Tensors; i++)
        {
            _ = new HeldTensor(OrtRaw.CreateTensor(memory.Pointer, memory.ByteLength, [4], OrtElementType.Float));
        }

        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    /// <summary>What glibc's <c>mallinfo2</c> tells.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Memory
    {
        private readonly nuint _arena;
        private readonly nuint _freeChunks;
        private readonly nuint _fastChunks;
        private readonly nuint _mappedRegions;
        private readonly nuint _mapped;
        private readonly nuint _unused;
        private readonly nuint _fastFree;
        public readonly nuint InUse;
        private readonly nuint _free;
        private readonly nuint _top;
    }
}
