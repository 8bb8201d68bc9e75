using System.Security.Cryptography;
using System.Text;

namespace Espalier;

/// <summary>Digests of the weights that a file of quantised weights was made from: names, types, shapes and bytes, whatever files they lie in.</summary>
/// <remarks>
/// Two of them, because a model of 14 GB is not read through at every start. The sample, 12 KB of each weight, is taken every time: training,
/// merging or converting a model changes nearly every element of what it touches. What changes a few rows only, for example the embedding
/// of one token, may lie between the samples, but it writes a file, so where a file of the checkpoint is younger than the quantised weights, the full digest decides.
/// </remarks>
internal static class SourceDigest
{
    private const int PieceBytes = 4096;
    private const int Pieces = 3;

    /// <summary>Hexadecimal digits of a digest.</summary>
    public const int Length = 2 * SHA256.HashSizeInBytes;

    /// <summary>Digest of the start, the middle and the end of every weight.</summary>
    public static string Sample(QuantisedLayout layout)
    {
        using CheckpointLease lease = layout.Source.Lease();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (QuantisedWeight weight in layout.Weights)
        {
            CheckpointTensor tensor = layout.Source.GetTensor(weight.Name, weight.Shape);
            AppendHeading(hash, tensor);
            if (tensor.ByteLength <= Pieces * PieceBytes)
            {
                Append(hash, tensor, 0, tensor.ByteLength);
                continue;
            }

            for (int piece = 0; piece < Pieces; piece++)
            {
                Append(hash, tensor, (tensor.ByteLength - PieceBytes) * piece / (Pieces - 1), PieceBytes);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Digest of every byte of every weight: 1.5 to 2 GB a second and thread.</summary>
    public static string Full(QuantisedLayout layout, CancellationToken cancellationToken)
    {
        using CheckpointLease lease = layout.Source.Lease();
        CheckpointTensor[] tensors = [.. layout.Weights.Select(weight => layout.Source.GetTensor(weight.Name, weight.Shape))];
        byte[][] digests = new byte[tensors.Length][];
        Parallel.For(0, digests.Length, new ParallelOptions { CancellationToken = cancellationToken }, i => digests[i] = Of(tensors[i]));
        return Join(digests);
    }

    /// <summary>Digest of one weight.</summary>
    public static byte[] Of(CheckpointTensor tensor)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendHeading(hash, tensor);
        Append(hash, tensor, 0, tensor.ByteLength);
        return hash.GetHashAndReset();
    }

    /// <summary>The full digest, from the digests of the weights in the order of the layout.</summary>
    public static string Join(IReadOnlyList<byte[]> digests)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] digest in digests)
        {
            hash.AppendData(digest);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AppendHeading(IncrementalHash hash, CheckpointTensor tensor) =>
        hash.AppendData(Encoding.UTF8.GetBytes(tensor.Name + ' ' + tensor.Type.Name() + ' ' + Shapes.Format(tensor.Shape.Span) + '\n'));

    private static unsafe void Append(IncrementalHash hash, CheckpointTensor tensor, long offset, long length)
    {
        const int Most = 1 << 30;
        while (length > 0)
        {
            int part = (int)Math.Min(length, Most);
            hash.AppendData(new ReadOnlySpan<byte>((void*)(tensor.Data + (nint)offset), part));
            offset += part;
            length -= part;
        }
    }
}
