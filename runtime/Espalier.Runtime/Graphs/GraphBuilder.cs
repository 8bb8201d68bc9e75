using System.Buffers.Binary;
using System.Globalization;
using Espalier.Graphs.Onnx;
using Google.Protobuf;

namespace Espalier.Graphs;

/// <summary>Collects the nodes, inputs, outputs and weights of one ONNX graph.</summary>
/// <remarks>Values are named by strings. The emitters append nodes under a name prefix and return the name of their result, so the same emitter serves a graph of one layer and a graph of a whole model. Not thread-safe.</remarks>
internal sealed class GraphBuilder(string name)
{
    // ai.onnx 24 is the first set with TensorScatter; ONNX Runtime 1.30 knows it.
    private const int OnnxOpset = 24;
    private const int MicrosoftOpset = 1;
    private const int IrVersion = 11;

    private readonly GraphProto _graph = new() { Name = name };
    private readonly HashSet<string> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WeightUse> _weightsByName = new(StringComparer.Ordinal);
    private readonly List<WeightUse> _weights = [];
    private readonly List<(string Value, string Output)> _outputs = [];

    /// <summary>Declares an input.</summary>
    /// <returns>The name of the input.</returns>
    public string Input(string input, TensorType type, params ReadOnlySpan<Dimension> shape)
    {
        Claim(input);
        _graph.Input.Add(Describe(input, type, shape));
        return input;
    }

    /// <summary>Makes a value a graph output under the given name.</summary>
    public void Output(string output, string value, TensorType type, params ReadOnlySpan<Dimension> shape)
    {
        Claim(output);
        _outputs.Add((value, output));
        _graph.Output.Add(Describe(output, type, shape));
    }

    /// <summary>Declares a weight that the session supplies; a second use of the same weight returns the first.</summary>
    /// <returns>The name of the weight.</returns>
    public string Weight(string weight, TensorType type, params ReadOnlySpan<long> shape)
    {
        var use = new WeightUse(weight, type, shape.ToArray());
        if (_weightsByName.TryGetValue(weight, out var known))
        {
            if (known.Type != type || !known.Shape.SequenceEqual(use.Shape))
            {
                throw new ArgumentException($"The weight '{weight}' is used with two types or shapes.", nameof(weight));
            }

            return weight;
        }

        Claim(weight);
        _weightsByName.Add(weight, use);
        _weights.Add(use);

        var tensor = new TensorProto { Name = weight, DataType = (int)type, DataLocation = TensorProto.Types.DataLocation.External };
        tensor.Dims.Add(use.Shape);
        AddExternal(tensor, "location", "weights");
        AddExternal(tensor, "offset", "0");
        AddExternal(tensor, "length", use.ByteCount.ToString(CultureInfo.InvariantCulture));
        _graph.Initializer.Add(tensor);
        return weight;
    }

    /// <summary>Embeds a short vector of integers, such as a shape; equal vectors are embedded once.</summary>
    /// <returns>The name of the constant.</returns>
    public string Constant(params ReadOnlySpan<long> elements)
    {
        string constant = "const." + string.Join('_', elements.ToArray().Select(element => element.ToString(CultureInfo.InvariantCulture)));
        if (_values.Add(constant))
        {
            var data = new byte[elements.Length * sizeof(long)];
            for (int i = 0; i < elements.Length; i++)
            {
                BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(i * sizeof(long)), elements[i]);
            }

            var tensor = new TensorProto { Name = constant, DataType = (int)TensorType.Int64, RawData = ByteString.CopyFrom(data) };
            tensor.Dims.Add(elements.Length);
            _graph.Initializer.Add(tensor);
        }

        return constant;
    }

    /// <summary>Appends a node with one output.</summary>
    /// <param name="operation">The operator, which also says its domain.</param>
    /// <param name="result">The name of the node and of its output.</param>
    /// <param name="inputs">The inputs; an empty name is an absent optional input.</param>
    /// <param name="attributes">The attributes.</param>
    /// <returns><paramref name="result"/>.</returns>
    public string Node(Operator operation, string result, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        Node(operation, result, inputs, [result], attributes);
        return result;
    }

    /// <summary>Appends a node with several outputs; an empty name is an output that nobody needs.</summary>
    public void Node(Operator operation, string node, ReadOnlySpan<string> inputs, ReadOnlySpan<string> outputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var proto = new NodeProto { Name = node, OpType = operation.Name, Domain = operation.Domain };
        foreach (string input in inputs)
        {
            if (input.Length > 0 && !_values.Contains(input))
            {
                throw new ArgumentException($"The node '{node}' reads '{input}', which no earlier node, input or weight provides.", nameof(inputs));
            }

            proto.Input.Add(input);
        }

        foreach (string output in outputs)
        {
            if (output.Length > 0)
            {
                Claim(output);
            }

            proto.Output.Add(output);
        }

        foreach (var attribute in attributes)
        {
            proto.Attribute.Add(attribute);
        }

        _graph.Node.Add(proto);
    }

    /// <summary>Finishes the graph. The builder must not be used afterwards.</summary>
    public GraphModel Build()
    {
        foreach (var (value, output) in _outputs)
        {
            Rename(value, output);
        }

        var model = new ModelProto { IrVersion = IrVersion, ProducerName = "Espalier", Graph = _graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = OnnxOpset });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = Operator.Microsoft, Version = MicrosoftOpset });
        return new GraphModel(model.ToByteArray(), _weights);
    }

    /// <summary>Gives a node's result the name of the graph output, which saves the copying node that would join two names.</summary>
    private void Rename(string value, string output)
    {
        bool found = false;
        foreach (var node in _graph.Node)
        {
            found |= Replace(node.Output, value, output);
            Replace(node.Input, value, output);
        }

        if (!found)
        {
            throw new InvalidOperationException($"The output '{output}' is '{value}', which is not the result of a node.");
        }
    }

    private static bool Replace(Google.Protobuf.Collections.RepeatedField<string> names, string value, string replacement)
    {
        bool found = false;
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i] == value)
            {
                names[i] = replacement;
                found = true;
            }
        }

        return found;
    }

    private void Claim(string value)
    {
        if (!_values.Add(value))
        {
            throw new ArgumentException($"The graph '{_graph.Name}' already has a value named '{value}'.", nameof(value));
        }
    }

    private static void AddExternal(TensorProto tensor, string key, string value) =>
        tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });

    private static ValueInfoProto Describe(string value, TensorType type, ReadOnlySpan<Dimension> shape)
    {
        var dimensions = new TensorShapeProto();
        foreach (var dimension in shape)
        {
            dimensions.Dim.Add(dimension.Symbol is null
                ? new TensorShapeProto.Types.Dimension { DimValue = dimension.Length }
                : new TensorShapeProto.Types.Dimension { DimParam = dimension.Symbol });
        }

        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = dimensions };
        return new ValueInfoProto { Name = value, Type = new TypeProto { TensorType = tensor } };
    }
}

/// <summary>One dimension of an input or output: a length, or a symbol that stands for any length.</summary>
internal readonly record struct Dimension(long Length, string? Symbol)
{
    /// <summary>A fixed length.</summary>
    public static implicit operator Dimension(int length) => new(length, null);

    /// <summary>A length that is known only when the graph runs.</summary>
    public static implicit operator Dimension(string symbol) => new(0, symbol);
}
