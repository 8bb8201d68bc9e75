using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Espalier;

/// <summary>A tensor that a safetensors file is going to hold.</summary>
internal readonly record struct DeclaredTensor(string Name, TensorType Type, long[] Shape)
{
    /// <summary>Bytes of all elements.</summary>
    /// <exception cref="OverflowException">They do not fit 64 bits.</exception>
    public long ByteLength
    {
        get
        {
            long bits = Type.Bits();
            foreach (long dimension in Shape)
            {
                bits = checked(bits * dimension);
            }

            return bits / 8;
        }
    }
}

/// <summary>Writes a safetensors file: the tensors in the order in which they were declared, without a hole, their bytes in any order.</summary>
/// <remarks>The header goes last, so that its metadata may speak of the bytes; until then the file is none. Equal contents give equal files. Different tensors may be written from several threads.</remarks>
internal sealed class SafetensorsWriter
{
    /// <summary>The data starts at a multiple of this.</summary>
    private const int Alignment = 64;

    private const int LengthBytes = 8;

    private readonly SafeFileHandle _file;
    private readonly IReadOnlyList<DeclaredTensor> _tensors;
    private readonly Dictionary<string, (long Begin, long Length)> _places = new(StringComparer.Ordinal);
    private readonly int _headerLength;

    /// <summary>Lays the file out.</summary>
    /// <param name="file">An empty file, open for writing. Stays the caller's.</param>
    /// <param name="tensors">The tensors; names are unique.</param>
    /// <param name="metadata">The metadata, or other texts of the same lengths.</param>
    public SafetensorsWriter(SafeFileHandle file, IReadOnlyList<DeclaredTensor> tensors, IReadOnlyList<KeyValuePair<string, string>> metadata)
    {
        _file = file;
        _tensors = tensors;
        int used = LengthBytes + Header(metadata).Length;
        _headerLength = ((used + Alignment - 1) / Alignment * Alignment) - LengthBytes;
        long begin = LengthBytes + _headerLength;
        foreach (DeclaredTensor tensor in tensors)
        {
            _places.Add(tensor.Name, (begin, tensor.ByteLength));
            begin = checked(begin + tensor.ByteLength);
        }

        FileLength = begin;
    }

    /// <summary>Bytes of the whole file.</summary>
    public long FileLength { get; }

    /// <summary>Writes bytes of a tensor.</summary>
    /// <param name="tensor">A declared name.</param>
    /// <param name="offset">The first byte inside of the tensor.</param>
    /// <param name="bytes">What goes there.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bytes reach over the end of the tensor.</exception>
    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes)
    {
        (long begin, long length) = _places[tensor];
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, length - bytes.Length);
        RandomAccess.Write(_file, bytes, begin + offset);
    }

    /// <summary>Writes the header, after which the file is complete.</summary>
    /// <param name="metadata">The metadata, no longer than what the layout was made with.</param>
    public void Finish(IReadOnlyList<KeyValuePair<string, string>> metadata)
    {
        byte[] json = Header(metadata);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(json.Length, _headerLength, nameof(metadata));
        byte[] header = new byte[LengthBytes + _headerLength];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, _headerLength);
        json.CopyTo(header, LengthBytes);
        RandomAccess.Write(_file, header, 0);
    }

    private byte[] Header(IReadOnlyList<KeyValuePair<string, string>> metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach ((string key, string value) in metadata)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
            long begin = 0;
            foreach (DeclaredTensor tensor in _tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.Name());
                json.WriteStartArray("shape");
                foreach (long dimension in tensor.Shape)
                {
                    json.WriteNumberValue(dimension);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(begin += tensor.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
