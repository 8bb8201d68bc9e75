using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Espalier;

/// <summary>The checksum of stored weights: CRC-32C, which CPUs compute at 10 GB a second.</summary>
internal static class Checksum
{
    /// <summary>Hexadecimal digits of a checksum.</summary>
    public const int Length = 8;

    /// <summary>The checksum of the bytes of one tensor.</summary>
    public static unsafe uint Of(nint data, long length)
    {
        uint crc = uint.MaxValue;
        long words = length / sizeof(ulong);
        byte* bytes = (byte*)data;
        for (long i = 0; i < words; i++)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(bytes + (i * sizeof(ulong)), sizeof(ulong))));
        }

        for (long i = words * sizeof(ulong); i < length; i++)
        {
            crc = BitOperations.Crc32C(crc, bytes[i]);
        }

        return ~crc;
    }

    /// <summary>The checksum of a file, from those of its tensors in its order.</summary>
    public static string Join(ReadOnlySpan<uint> tensors)
    {
        uint crc = uint.MaxValue;
        foreach (uint tensor in tensors)
        {
            crc = BitOperations.Crc32C(crc, tensor);
        }

        return (~crc).ToString("x8", CultureInfo.InvariantCulture);
    }
}
