namespace Espalier.OnnxRuntime;

/// <summary>The element types of tensors, with ONNX's numbers.</summary>
internal enum OrtElementType
{
    Float = 1,
    UInt8 = 2,
    Int8 = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
    Float16 = 10,
    Double = 11,
    UInt32 = 12,
    UInt64 = 13,
    BFloat16 = 16,
}

/// <summary>Sizes of <see cref="OrtElementType"/>.</summary>
internal static class OrtElementTypes
{
    /// <summary>The bytes of one element.</summary>
    public static int Size(this OrtElementType type) => type switch
    {
        OrtElementType.UInt8 or OrtElementType.Int8 or OrtElementType.Bool => 1,
        OrtElementType.UInt16 or OrtElementType.Int16 or OrtElementType.Float16 or OrtElementType.BFloat16 => 2,
        OrtElementType.Float or OrtElementType.Int32 or OrtElementType.UInt32 => 4,
        OrtElementType.Double or OrtElementType.Int64 or OrtElementType.UInt64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type with elements of a fixed size."),
    };

    /// <summary>The bytes of a tensor.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is negative.</exception>
    /// <exception cref="OverflowException">The size does not fit.</exception>
    public static nuint Bytes(this OrtElementType type, ReadOnlySpan<long> shape)
    {
        nuint bytes = (nuint)type.Size();
        foreach (long dimension in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension, nameof(shape));
            bytes = checked(bytes * (nuint)dimension);
        }

        return bytes;
    }
}
