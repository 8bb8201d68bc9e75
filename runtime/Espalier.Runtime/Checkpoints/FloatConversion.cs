using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Espalier;

/// <summary>Copies stored elements to floats. Sources are little-endian and need not be aligned. Allocates nothing.</summary>
internal static unsafe class FloatConversion
{
    /// <summary>Elements that pass through the stack where the source is not aligned.</summary>
    private const int Chunk = 1024;

    public static void FromSingles(nint source, Span<float> destination)
        => new ReadOnlySpan<byte>((void*)source, checked(destination.Length * sizeof(float))).CopyTo(MemoryMarshal.AsBytes(destination));

    public static void FromHalves(nint source, Span<float> destination)
    {
        if (source % sizeof(ushort) == 0)
        {
            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>((void*)source, destination.Length), destination);
            return;
        }

        Span<ushort> aligned = stackalloc ushort[Chunk];
        while (destination.Length > 0)
        {
            ReadOnlySpan<ushort> part = Align(ref source, aligned, destination.Length);
            TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<ushort, Half>(part), destination);
            destination = destination[part.Length..];
        }
    }

    public static void FromBFloats(nint source, Span<float> destination)
    {
        if (source % sizeof(ushort) == 0)
        {
            Widen(new ReadOnlySpan<ushort>((void*)source, destination.Length), destination);
            return;
        }

        Span<ushort> aligned = stackalloc ushort[Chunk];
        while (destination.Length > 0)
        {
            ReadOnlySpan<ushort> part = Align(ref source, aligned, destination.Length);
            Widen(part, destination);
            destination = destination[part.Length..];
        }
    }

    private static ReadOnlySpan<ushort> Align(ref nint source, Span<ushort> aligned, int wanted)
    {
        Span<ushort> part = aligned[..Math.Min(wanted, aligned.Length)];
        Span<byte> bytes = MemoryMarshal.AsBytes(part);
        new ReadOnlySpan<byte>((void*)source, bytes.Length).CopyTo(bytes);
        source += bytes.Length;
        return part;
    }

    /// <summary>A bfloat16 is the upper half of a float.</summary>
    private static void Widen(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int width = Vector<ushort>.Count;
        int i = 0;
        for (; i <= source.Length - width; i += width)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out Vector<uint> low, out Vector<uint> high);
            Vector.AsVectorSingle(low << 16).CopyTo(destination[i..]);
            Vector.AsVectorSingle(high << 16).CopyTo(destination[(i + (width / 2))..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }
}
