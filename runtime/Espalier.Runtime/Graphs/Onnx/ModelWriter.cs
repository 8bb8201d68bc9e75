using System.Diagnostics;
using System.Globalization;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Onnx;

/// <summary>Writes a model in the ONNX format; the numbers are the fields' numbers in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.</summary>
internal static class ModelWriter
{
    // ai.onnx 24 is the first set with TensorScatter; ONNX Runtime 1.30 knows it.
    private const int OnnxOpset = 24;
    private const int MicrosoftOpset = 1;
    private const int IrVersion = 11;

    /// <summary>Writes a model of one graph.</summary>
    /// <param name="name">The name of the graph.</param>
    /// <param name="nodes">The nodes, each behind those whose results it reads.</param>
    /// <param name="weights">What the session supplies.</param>
    /// <param name="constants">What the graph holds.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="outputs">The outputs.</param>
    /// <param name="place">Where a weight lies; null for a model whose weights a session is given by address.</param>
    public static byte[] Write(
        string name,
        IEnumerable<Node> nodes,
        IEnumerable<WeightUse> weights,
        IEnumerable<Constant> constants,
        IEnumerable<Value> inputs,
        IEnumerable<Value> outputs,
        Func<WeightUse, WeightPlace>? place = null)
    {
        var graph = new WireWriter();
        foreach (var node in nodes)
        {
            graph.Message(1, node, Write);
        }

        graph.Text(2, name);
        foreach (var weight in weights)
        {
            graph.Message(5, (weight, place?.Invoke(weight) ?? WeightPlace.BySession), Write);
        }

        foreach (var constant in constants)
        {
            graph.Message(5, constant, Write);
        }

        foreach (var input in inputs)
        {
            graph.Message(11, input, Write);
        }

        foreach (var output in outputs)
        {
            graph.Message(12, output, Write);
        }

        var model = new WireWriter();
        model.Integer(1, IrVersion);
        model.Text(2, "Espalier");
        model.Bytes(7, graph.Written);
        model.Message(8, ("", OnnxOpset), WriteOpset);
        model.Message(8, (Operator.Microsoft, MicrosoftOpset), WriteOpset);
        return model.Written.ToArray();
    }

    private static void WriteOpset(WireWriter writer, (string Domain, int Version) opset)
    {
        writer.Text(1, opset.Domain);
        writer.Integer(2, opset.Version);
    }

    private static void Write(WireWriter writer, Node node)
    {
        foreach (string input in node.Inputs)
        {
            writer.Text(1, input);
        }

        foreach (string output in node.Outputs)
        {
            writer.Text(2, output);
        }

        writer.Text(3, node.Name);
        writer.Text(4, node.Operator.Name);
        foreach (var attribute in node.Attributes)
        {
            writer.Message(5, attribute, Write);
        }

        writer.Text(7, node.Operator.Domain);
    }

    private static void Write(WireWriter writer, NodeAttribute attribute)
    {
        writer.Text(1, attribute.Name);
        switch (attribute)
        {
            case { Number: { } number }:
                writer.Single(2, number);
                writer.Integer(20, 1);
                break;
            case { Integer: { } integer }:
                writer.Integer(3, integer);
                writer.Integer(20, 2);
                break;
            case { Text: { } text }:
                writer.Text(4, text);
                writer.Integer(20, 3);
                break;
            case { Integers: { } integers }:
                foreach (long integer in integers)
                {
                    writer.Integer(8, integer);
                }

                writer.Integer(20, 7);
                break;
            default:
                throw new UnreachableException($"The attribute '{attribute.Name}' has no value.");
        }
    }

    private static void Write(WireWriter writer, (WeightUse Use, WeightPlace Place) weight)
    {
        WriteTensor(writer, weight.Use.Name, weight.Use.Type, weight.Use.Shape);
        if (weight.Place.Data is { } data)
        {
            writer.Bytes(9, data.Span);
            return;
        }

        writer.Message(13, ("location", weight.Place.Location), WriteEntry);
        writer.Message(13, ("offset", weight.Place.Offset.ToString(CultureInfo.InvariantCulture)), WriteEntry);
        writer.Message(13, ("length", weight.Use.ByteCount.ToString(CultureInfo.InvariantCulture)), WriteEntry);
        writer.Integer(14, 1);
    }

    private static void WriteEntry(WireWriter writer, (string Key, string Value) entry)
    {
        writer.Text(1, entry.Key);
        writer.Text(2, entry.Value);
    }

    private static void Write(WireWriter writer, Constant constant)
    {
        WriteTensor(writer, constant.Name, constant.Type, constant.Shape);
        writer.Bytes(9, constant.Data);
    }

    private static void WriteTensor(WireWriter writer, string name, OrtElementType type, long[] shape)
    {
        foreach (long length in shape)
        {
            writer.Integer(1, length);
        }

        writer.Integer(2, (int)type);
        writer.Text(8, name);
    }

    private static void Write(WireWriter writer, Value value)
    {
        writer.Text(1, value.Name);
        writer.Message(2, value, static (type, value) => type.Message(1, value, WriteTensorType));
    }

    private static void WriteTensorType(WireWriter writer, Value value)
    {
        writer.Integer(1, (int)value.Type);
        writer.Message(2, value.Shape, static (writer, shape) =>
        {
            foreach (var dimension in shape)
            {
                writer.Message(1, dimension, Write);
            }
        });
    }

    private static void Write(WireWriter writer, Dimension dimension)
    {
        if (dimension.Symbol is null)
        {
            writer.Integer(1, dimension.Length);
        }
        else
        {
            writer.Text(2, dimension.Symbol);
        }
    }
}
