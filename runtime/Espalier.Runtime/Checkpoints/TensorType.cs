namespace Espalier;

/// <summary>The element types of the safetensors format.</summary>
public enum TensorType
{
    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>The upper half of a single.</summary>
    BF16,

    /// <summary>IEEE double precision; not read as a weight, like all types below.</summary>
    F64,

    /// <summary>Eight bits: a boolean.</summary>
    Bool,

    /// <summary>Unsigned, 8 bits.</summary>
    U8,

    /// <summary>Signed, 8 bits.</summary>
    I8,

    /// <summary>Unsigned, 16 bits.</summary>
    U16,

    /// <summary>Signed, 16 bits.</summary>
    I16,

    /// <summary>Unsigned, 32 bits.</summary>
    U32,

    /// <summary>Signed, 32 bits.</summary>
    I32,

    /// <summary>Unsigned, 64 bits.</summary>
    U64,

    /// <summary>Signed, 64 bits.</summary>
    I64,

    /// <summary>Two singles: a complex number.</summary>
    C64,

    /// <summary>Eight bits, 5 of them exponent.</summary>
    F8E5M2,

    /// <summary>Eight bits, 4 of them exponent.</summary>
    F8E4M3,

    /// <summary>Eight bits of exponent: a scale.</summary>
    F8E8M0,

    /// <summary>Six bits, 3 of them exponent.</summary>
    F6E3M2,

    /// <summary>Six bits, 2 of them exponent.</summary>
    F6E2M3,

    /// <summary>Four bits.</summary>
    F4,
}

/// <summary>Names and sizes of the element types.</summary>
internal static class TensorTypes
{
    private static readonly (string Name, TensorType Type, int Bits)[] Table =
    [
        ("F32", TensorType.F32, 32),
        ("F16", TensorType.F16, 16),
        ("BF16", TensorType.BF16, 16),
        ("F64", TensorType.F64, 64),
        ("BOOL", TensorType.Bool, 8),
        ("U8", TensorType.U8, 8),
        ("I8", TensorType.I8, 8),
        ("U16", TensorType.U16, 16),
        ("I16", TensorType.I16, 16),
        ("U32", TensorType.U32, 32),
        ("I32", TensorType.I32, 32),
        ("U64", TensorType.U64, 64),
        ("I64", TensorType.I64, 64),
        ("C64", TensorType.C64, 64),
        ("F8_E5M2", TensorType.F8E5M2, 8),
        ("F8_E4M3", TensorType.F8E4M3, 8),
        ("F8_E8M0", TensorType.F8E8M0, 8),
        ("F6_E3M2", TensorType.F6E3M2, 6),
        ("F6_E2M3", TensorType.F6E2M3, 6),
        ("F4", TensorType.F4, 4),
    ];

    /// <summary>The type by its name in a safetensors header.</summary>
    public static bool TryParse(string name, out TensorType type)
    {
        foreach ((string known, TensorType candidate, _) in Table)
        {
            if (known == name)
            {
                type = candidate;
                return true;
            }
        }

        type = default;
        return false;
    }

    public static string Name(this TensorType type) => Row(type).Name;

    /// <summary>Bits of one element; the smallest types pack several into a byte.</summary>
    public static int Bits(this TensorType type) => Row(type).Bits;

    /// <summary>True for the types that weights are read from.</summary>
    public static bool IsWeight(this TensorType type) => type is TensorType.F32 or TensorType.F16 or TensorType.BF16;

    private static (string Name, TensorType Type, int Bits) Row(TensorType type) => Table[(int)type];
}
