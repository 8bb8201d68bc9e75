using System.Buffers.Binary;
using System.Text;

namespace Espalier.Tests.OnnxRuntime;

/// <summary>Writes small ONNX models by hand, so that the tests of the binding depend on nothing but it.</summary>
internal sealed class TinyModel
{
    private readonly List<byte> _graph = [];

    public TinyModel Node(string type, string[] inputs, string[] outputs)
    {
        var node = new List<byte>();
        foreach (string input in inputs)
        {
            Text(node, 1, input);
        }

        foreach (string output in outputs)
        {
            Text(node, 2, output);
        }

        Text(node, 4, type);
        Message(_graph, 1, node);
        return this;
    }

    /// <summary>Floats in the model; a null array leaves the bytes to an external file that does not exist.</summary>
    public TinyModel Weight(string name, long[] shape, float[]? values)
    {
        var tensor = new List<byte>();
        foreach (long dimension in shape)
        {
            Number(tensor, 1, dimension);
        }

        Number(tensor, 2, 1);
        Text(tensor, 8, name);
        if (values is not null)
        {
            var raw = new byte[values.Length * 4];
            for (int i = 0; i < values.Length; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(raw.AsSpan(i * 4), values[i]);
            }

            Message(tensor, 9, raw);
        }
        else
        {
            var entry = new List<byte>();
            Text(entry, 1, "location");
            Text(entry, 2, "no-such-file.bin");
            Message(tensor, 13, entry);
            Number(tensor, 14, 1);
        }

        Message(_graph, 5, tensor);
        return this;
    }

    /// <summary>A float input; a dimension of -1 is free.</summary>
    public TinyModel Input(string name, params long[] shape) => Value(11, name, shape);

    /// <summary>A float output; a dimension of -1 is free.</summary>
    public TinyModel Output(string name, params long[] shape) => Value(12, name, shape);

    public byte[] Build()
    {
        var graph = new List<byte>(_graph);
        Text(graph, 2, "tiny");
        var opset = new List<byte>();
        Number(opset, 2, 17);
        var model = new List<byte>();
        Number(model, 1, 8);
        Message(model, 7, graph);
        Message(model, 8, opset);
        return [.. model];
    }

    /// <summary>y = x w, with x of n rows.</summary>
    public static byte[] MatMul(int inputs, int outputs, float[]? weight) => new TinyModel()
        .Weight("w", [inputs, outputs], weight)
        .Node("MatMul", ["x", "w"], ["y"])
        .Input("x", -1, inputs)
        .Output("y", -1, outputs)
        .Build();

    private TinyModel Value(int field, string name, long[] shape)
    {
        var dimensions = new List<byte>();
        foreach (long dimension in shape)
        {
            var entry = new List<byte>();
            if (dimension < 0)
            {
                Text(entry, 2, "n");
            }
            else
            {
                Number(entry, 1, dimension);
            }

            Message(dimensions, 1, entry);
        }

        var tensor = new List<byte>();
        Number(tensor, 1, 1);
        Message(tensor, 2, dimensions);
        var type = new List<byte>();
        Message(type, 1, tensor);
        var value = new List<byte>();
        Text(value, 1, name);
        Message(value, 2, type);
        Message(_graph, field, value);
        return this;
    }

    private static void Text(List<byte> target, int field, string text) => Message(target, field, Encoding.UTF8.GetBytes(text));

    private static void Message(List<byte> target, int field, IReadOnlyCollection<byte> bytes)
    {
        Varint(target, (ulong)((field << 3) | 2));
        Varint(target, (ulong)bytes.Count);
        target.AddRange(bytes);
    }

    private static void Number(List<byte> target, int field, long number)
    {
        Varint(target, (ulong)(field << 3));
        Varint(target, (ulong)number);
    }

    private static void Varint(List<byte> target, ulong value)
    {
        while (value >= 0x80)
        {
            target.Add((byte)(value | 0x80));
            value >>= 7;
        }

        target.Add((byte)value);
    }
}
