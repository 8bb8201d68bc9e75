using System.Buffers.Binary;
using System.Globalization;
using Espalier.Graphs.Onnx;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs;

/// <summary>Collects the nodes, inputs, outputs and weights of one ONNX graph.</summary>
/// <remarks>Values are named by strings. The emitters append nodes under a name prefix and return the name of their result, so the same emitter serves a graph of one layer and a graph of a whole model. Not thread-safe.</remarks>
internal sealed class GraphBuilder(string name)
{
    private readonly List<Node> _nodes = [];
    private readonly List<Value> _inputs = [];
    private readonly List<(string Value, Value Output)> _outputs = [];
    private readonly List<Constant> _constants = [];
    private readonly List<WeightUse> _weights = [];
    private readonly Dictionary<string, WeightUse> _weightsByName = new(StringComparer.Ordinal);
    private readonly HashSet<string> _values = new(StringComparer.Ordinal);

    /// <summary>Declares an input.</summary>
    /// <returns>The name of the input.</returns>
    public string Input(string input, OrtElementType type, params ReadOnlySpan<Dimension> shape)
    {
        Claim(input);
        _inputs.Add(new Value(input, type, shape.ToArray()));
        return input;
    }

    /// <summary>Makes the result of a node a graph output under the given name.</summary>
    public void Output(string output, string value, OrtElementType type, params ReadOnlySpan<Dimension> shape)
    {
        Claim(output);
        _outputs.Add((value, new Value(output, type, shape.ToArray())));
    }

    /// <summary>Declares a weight that the session supplies; a second use of the same weight returns the first.</summary>
    /// <returns>The name of the weight.</returns>
    public string Weight(string weight, OrtElementType type, params ReadOnlySpan<long> shape) => Weight(weight, type, shape, slice: null);

    /// <summary>Declares some rows or columns of a weight, in single precision; a second use of the same ones returns the first.</summary>
    /// <returns>The name of the slice.</returns>
    public string Weight(WeightSlice slice) => Weight(slice.Name, OrtElementType.Float, slice.Shape, slice);

    private string Weight(string weight, OrtElementType type, ReadOnlySpan<long> shape, WeightSlice? slice)
    {
        if (_weightsByName.TryGetValue(weight, out var known))
        {
            if (known.Type != type || !shape.SequenceEqual(known.Shape))
            {
                throw new ArgumentException($"The weight '{weight}' is used with two types or shapes.", nameof(weight));
            }

            return weight;
        }

        Claim(weight);
        var use = new WeightUse(weight, type, shape.ToArray(), slice);
        _weightsByName.Add(weight, use);
        _weights.Add(use);
        return weight;
    }

    /// <summary>Embeds a short vector of integers, such as a shape; equal vectors are embedded once.</summary>
    /// <returns>The name of the constant.</returns>
    public string Constant(params ReadOnlySpan<long> elements)
    {
        var data = new byte[elements.Length * sizeof(long)];
        for (int i = 0; i < elements.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(i * sizeof(long)), elements[i]);
        }

        string text = "const." + string.Join('_', elements.ToArray().Select(element => element.ToString(CultureInfo.InvariantCulture)));
        return Constant(new Constant(text, OrtElementType.Int64, [elements.Length], data));
    }

    /// <summary>Embeds a number as a scalar; equal numbers are embedded once.</summary>
    /// <returns>The name of the constant.</returns>
    public string Scalar(float number)
    {
        var data = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(data, number);
        return Constant(new Constant("const.f32." + number.ToString("R", CultureInfo.InvariantCulture), OrtElementType.Float, [], data));
    }

    /// <inheritdoc cref="Scalar(float)"/>
    public string Scalar(byte number) =>
        Constant(new Constant("const.u8." + number.ToString(CultureInfo.InvariantCulture), OrtElementType.UInt8, [], [number]));

    /// <summary>True if the graph already has a value of this name, so that emitters can share what several of them need.</summary>
    public bool Has(string value) => _values.Contains(value);

    /// <summary>Appends a node with one output.</summary>
    /// <param name="operation">The operator.</param>
    /// <param name="result">The name of the node and of its output.</param>
    /// <param name="inputs">The inputs; an empty name is an absent optional input.</param>
    /// <param name="attributes">The attributes.</param>
    /// <returns><paramref name="result"/>.</returns>
    public string Node(Operator operation, string result, ReadOnlySpan<string> inputs, params ReadOnlySpan<NodeAttribute> attributes)
    {
        Node(operation, result, inputs, [result], attributes);
        return result;
    }

    /// <summary>Appends a node with several outputs; an empty name is an output that nobody needs.</summary>
    public void Node(Operator operation, string node, ReadOnlySpan<string> inputs, ReadOnlySpan<string> outputs, params ReadOnlySpan<NodeAttribute> attributes)
    {
        foreach (string input in inputs)
        {
            if (input.Length > 0 && !_values.Contains(input))
            {
                throw new ArgumentException($"The node '{node}' reads '{input}', which no earlier node, input or weight provides.", nameof(inputs));
            }
        }

        foreach (string output in outputs)
        {
            if (output.Length > 0)
            {
                Claim(output);
            }
        }

        _nodes.Add(new Node(node, operation, inputs.ToArray(), outputs.ToArray(), attributes.ToArray()));
    }

    /// <summary>Finishes the graph. The builder must not be used afterwards.</summary>
    /// <exception cref="InvalidOperationException">An output is not the result of a node.</exception>
    public GraphModel Build()
    {
        foreach (var (value, output) in _outputs)
        {
            Rename(value, output.Name);
        }

        return new GraphModel(new GraphParts(name, _nodes, _weights, _constants, _inputs, [.. _outputs.Select(output => output.Output)]));
    }

    /// <summary>Gives a node's result the name of the graph output, which saves the copying node that would join two names.</summary>
    private void Rename(string value, string output)
    {
        if (!_nodes.Any(node => node.Outputs.Contains(value, StringComparer.Ordinal)))
        {
            throw new InvalidOperationException($"The output '{output}' is '{value}', which is not the result of a node.");
        }

        foreach (var node in _nodes)
        {
            node.Inputs.AsSpan().Replace(value, output);
            node.Outputs.AsSpan().Replace(value, output);
        }
    }

    private string Constant(Constant constant)
    {
        if (_values.Add(constant.Name))
        {
            _constants.Add(constant);
        }

        return constant.Name;
    }

    private void Claim(string value)
    {
        if (!_values.Add(value))
        {
            throw new ArgumentException($"The graph '{name}' already has a value named '{value}'.", nameof(value));
        }
    }
}
