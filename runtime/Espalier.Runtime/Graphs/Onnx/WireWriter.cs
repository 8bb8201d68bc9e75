using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Espalier.Graphs.Onnx;

/// <summary>Writes the fields of one protocol-buffers message (https://protobuf.dev/programming-guides/encoding/).</summary>
/// <remarks>
/// Written here because the generated messages of Google.Protobuf 3.25.1 cannot be published as native code without warnings: their <c>ToString</c> keeps its JsonFormatter, which produces IL2067 (reported as IL2104).
/// The tests read the bytes back with messages generated from the format's definition.
/// </remarks>
internal sealed class WireWriter
{
    private const int Varint = 0;
    private const int Delimited = 2;
    private const int Fixed32 = 5;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>Everything written so far.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>Writes an integer field.</summary>
    public void Integer(int field, long value)
    {
        Tag(field, Varint);
        Number((ulong)value);
    }

    /// <summary>Writes a field in single precision.</summary>
    public void Single(int field, float value)
    {
        Tag(field, Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(_bytes.GetSpan(sizeof(float)), value);
        _bytes.Advance(sizeof(float));
    }

    /// <summary>Writes a field of bytes.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, Delimited);
        Number((ulong)value.Length);
        _bytes.Write(value);
    }

    /// <summary>Writes a field of text.</summary>
    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    /// <summary>Writes a field that is a message.</summary>
    public void Message<T>(int field, T message, Action<WireWriter, T> write)
    {
        var inner = new WireWriter();
        write(inner, message);
        Bytes(field, inner.Written);
    }

    private void Tag(int field, int wireType) => Number((ulong)(field << 3 | wireType));

    private void Number(ulong value)
    {
        var span = _bytes.GetSpan(10);
        int length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            span[length++] = (byte)(value | 0x80);
        }

        span[length++] = (byte)value;
        _bytes.Advance(length);
    }
}
