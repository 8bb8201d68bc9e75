using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Espalier.Extensions.AI;

/// <summary>The SHA-256 of an image file. Nobody can make two files of the same key, so no request can get at the rows of a stranger's image without having the image.</summary>
internal readonly record struct ImageKey(UInt128 High, UInt128 Low)
{
    public static ImageKey Of(ReadOnlySpan<byte> file)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(file, hash);
        return new ImageKey(BinaryPrimitives.ReadUInt128BigEndian(hash), BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));
    }
}
