using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Espalier.Tests.Checkpoints;

/// <summary>Writes safetensors files, right ones and, by hand-made headers, wrong ones.</summary>
internal sealed class SafetensorsWriter
{
    private readonly List<string> _entries = [];
    private readonly MemoryStream _data = new();

    /// <summary>Spaces behind the header, by which writers align the data.</summary>
    public int Padding { get; set; }

    public string? Metadata { get; set; }

    public SafetensorsWriter Add(string name, string type, long[] shape, ReadOnlySpan<byte> bytes)
    {
        long begin = _data.Length;
        _data.Write(bytes);
        _entries.Add(string.Create(CultureInfo.InvariantCulture, $"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{begin},{_data.Length}]}}"));
        return this;
    }

    /// <summary>Stores floats in one of the three weight types.</summary>
    public SafetensorsWriter Add(string name, string type, long[] shape, float[] values) => Add(name, type, shape, Encode(type, values));

    public byte[] ToArray()
    {
        IEnumerable<string> entries = Metadata is null ? _entries : _entries.Prepend("\"__metadata__\":" + Metadata);
        return File("{" + string.Join(',', entries) + "}" + new string(' ', Padding), _data.ToArray());
    }

    /// <summary>Length, header, data; whatever they say.</summary>
    public static byte[] File(string header, ReadOnlySpan<byte> data) => File(Encoding.UTF8.GetBytes(header), data);

    /// <summary>The same with a header that need not be text.</summary>
    public static byte[] File(byte[] json, ReadOnlySpan<byte> data)
    {
        byte[] file = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        data.CopyTo(file.AsSpan(8 + json.Length));
        return file;
    }

    public static byte[] Encode(string type, float[] values) => type switch
    {
        "F32" => MemoryMarshal.AsBytes<float>(values).ToArray(),
        "F16" => MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray(),
        "BF16" => MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(values, value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))).ToArray(),
        _ => throw new ArgumentException(type, nameof(type)),
    };
}
