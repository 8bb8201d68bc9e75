using System.Diagnostics;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Floats to 16 bits and back: to the nearest, halfway to the even one. The same bits on every machine. Allocates nothing.</summary>
internal static class HalfConversion
{
    /// <summary>Rounds floats.</summary>
    /// <param name="source">The floats.</param>
    /// <param name="destination">As many elements.</param>
    /// <param name="half"><see cref="OrtElementType.Float16"/> or <see cref="OrtElementType.BFloat16"/>.</param>
    public static void Round(ReadOnlySpan<float> source, Span<ushort> destination, OrtElementType half)
    {
        if (half == OrtElementType.Float16)
        {
            TensorPrimitives.ConvertToHalf(source, MemoryMarshal.Cast<ushort, Half>(destination));
            return;
        }

        Debug.Assert(half == OrtElementType.BFloat16);
        int width = Vector<float>.Count;
        int i = 0;
        for (; i <= source.Length - (2 * width); i += 2 * width)
        {
            Vector.Narrow(UpperHalf(new Vector<float>(source[i..])), UpperHalf(new Vector<float>(source[(i + width)..]))).CopyTo(destination[i..]);
        }

        for (; i < source.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(source[i]);
            destination[i] = float.IsNaN(source[i]) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }
    }

    /// <summary>Widens elements to floats, without loss.</summary>
    public static unsafe void Widen(ReadOnlySpan<ushort> source, Span<float> destination, OrtElementType half)
    {
        fixed (ushort* first = source)
        {
            if (half == OrtElementType.Float16)
            {
                FloatConversion.FromHalves((nint)first, destination[..source.Length]);
            }
            else
            {
                FloatConversion.FromBFloats((nint)first, destination[..source.Length]);
            }
        }
    }

    private static Vector<uint> UpperHalf(Vector<float> values)
    {
        Vector<uint> bits = Vector.AsVectorUInt32(values);
        Vector<uint> rounded = (bits + new Vector<uint>(0x7FFF) + ((bits >> 16) & Vector<uint>.One)) >> 16;

        // Rounding a NaN up could make an infinity, or a number, of it.
        Vector<uint> isNumber = Vector.AsVectorUInt32(Vector.Equals(values, values));
        return Vector.ConditionalSelect(isNumber, rounded, (bits >> 16) | new Vector<uint>(0x40));
    }
}
