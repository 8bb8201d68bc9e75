using System.Buffers.Binary;
using System.Globalization;
using Espalier.Graphs.Onnx;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Lowering;

/// <summary>Rewrites a graph into operators that ONNX Runtime's WebGPU provider has: it lacks FusedMatMul, TensorScatter, and whatever gathers, splits or casts 64-bit integers.</summary>
/// <remarks>
/// <para>A product with a transposed weight becomes one with a weight that was transposed when it was uploaded. Rows that are written into a cache become a cache that is put together of
/// three pieces, which the attention behind it copies into place. The position of the last row, and those of visual and text rows apart, come in as inputs. One over a count is a softmax over so many
/// zeros. Where attention over many rows is wrong, it is spelled out.</para>
/// <para>What the rewritten graph reads besides is in <see cref="GraphNames.VisualEnd"/>, <see cref="GraphNames.LastPosition"/>, <see cref="GraphNames.VisualPositions"/>, <see cref="GraphNames.TextPositions"/> and, with attention spelled out, <see cref="GraphNames.KeyRows"/>; it has no <see cref="GraphNames.ScatteredKey"/> and
/// <see cref="GraphNames.ScatteredValue"/>. Used once a graph.</para>
/// </remarks>
internal sealed partial class WebGpuLowering
{
    private readonly GraphParts _source;
    private readonly List<Node> _nodes = [];
    private readonly List<WeightUse> _weights = [];
    private readonly List<Constant> _constants;
    private readonly List<Value> _inputs;
    private readonly Dictionary<string, WeightUse> _weightsByName;
    private readonly Dictionary<string, int> _ranks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _renamed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _declared = new(StringComparer.Ordinal);
    private readonly HashSet<string> _gatheredTransposed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _counts = new(StringComparer.Ordinal);

    private readonly bool _attentionIsExact;

    private WebGpuLowering(GraphParts source, bool attentionIsExact)
    {
        _attentionIsExact = attentionIsExact;
        _source = source;
        _constants = [.. source.Constants];
        _inputs = [.. source.Inputs];
        _weightsByName = source.Weights.ToDictionary(static use => use.Name, StringComparer.Ordinal);
        foreach (Value input in source.Inputs)
        {
            _ranks.Add(input.Name, input.Shape.Length);
        }

        foreach (WeightUse use in source.Weights)
        {
            _ranks.Add(use.Name, use.Shape.Length);
        }
    }

    /// <summary>The graph in the provider's operators.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="attentionIsExact">False if the provider's attention over many rows is wrong on this device: see <see cref="AttentionProbe"/>.</param>
    public static GraphModel Lower(GraphModel graph, bool attentionIsExact = true) => new WebGpuLowering(graph.Parts, attentionIsExact).Lower();

    private GraphModel Lower()
    {
        foreach (Node node in _source.Nodes)
        {
            if (node.Operator == Operator.FusedMatMul)
            {
                Multiply(node);
            }
            else if (node.Operator == Operator.TensorScatter)
            {
                PutTogether(node);
            }
            else if (!_attentionIsExact && node.Operator == Operator.MultiHeadAttention)
            {
                AttendInTower(node);
            }
            else if (!_attentionIsExact && node.Operator == Operator.GroupQueryAttention)
            {
                AttendInDecoder(node);
            }
            else if (node.Operator == Operator.Gather && node.Inputs[0] == GraphNames.Positions)
            {
                _inputs.Add(new Value(GraphNames.LastPosition, OrtElementType.Int64, [1, 1]));
                _renamed.Add(node.Outputs[0], GraphNames.LastPosition);
            }
            else if (node.Operator == Operator.Split && node.Inputs[0] == GraphNames.Positions)
            {
                Receive(GraphNames.VisualPositions, node.Outputs[0]);
                Receive(GraphNames.TextPositions, node.Outputs[1]);
            }
            else if (node.Operator == Operator.Gather && _weightsByName.TryGetValue(node.Inputs[0], out WeightUse? weight) && IsMultipliedTransposed(node.Outputs[0]))
            {
                // What is gathered from the transposed weight is transposed already, and the weight is there once.
                _gatheredTransposed.Add(node.Outputs[0]);
                Add(node with { Inputs = [Transposed(weight), node.Inputs[1]], Attributes = [NodeAttribute.Of("axis", 1 - Integer(node, "axis"))] });
            }
            else if (node.Operator == Operator.Cast && IsOnlyDividedBy(node.Outputs[0]))
            {
                _counts.Add(node.Outputs[0], node.Inputs[0]);
            }
            else if (node.Operator == Operator.Reciprocal && _counts.TryGetValue(node.Inputs[0], out string? count))
            {
                OneOver(count, node.Outputs[0]);
            }
            else
            {
                Add(node);
            }
        }

        Value[] outputs = [.. _source.Outputs.Where(static output => output.Name is not (GraphNames.ScatteredKey or GraphNames.ScatteredValue))];
        return new GraphModel(_source with { Nodes = _nodes, Weights = _weights, Constants = _constants, Inputs = _inputs, Outputs = outputs });
    }

    private void Multiply(Node node)
    {
        bool transposes = node.Attributes.Any(static attribute => attribute is { Name: "transB", Integer: 1 });
        float? alpha = node.Attributes.FirstOrDefault(static attribute => attribute.Name == "alpha")?.Number;
        (string left, string right, string result) = (node.Inputs[0], node.Inputs[1], node.Outputs[0]);
        if (transposes && !_gatheredTransposed.Contains(right))
        {
            right = _weightsByName.TryGetValue(right, out WeightUse? weight) ? Transposed(weight) : Transposed(node, right);
        }

        string product = alpha is null ? result : result + ".unscaled";
        Add(new Node(product, Operator.MatMul, [left, right], [product], []));
        if (alpha is { } factor)
        {
            Add(new Node(result, Operator.Mul, [product, Scalar(factor)], [result], []));
        }
    }

    private string Transposed(WeightUse weight)
    {
        string name = weight.Name + ".transposed";
        if (_declared.Add(name))
        {
            _weights.Add(new WeightUse(name, weight.Type, [weight.Shape[1], weight.Shape[0]]) { TransposeOf = weight });
            _ranks.Add(name, 2);
        }

        return name;
    }

    private string Transposed(Node node, string value)
    {
        long[] order = [.. Enumerable.Range(0, _ranks[value])];
        (order[^1], order[^2]) = (order[^2], order[^1]);
        string name = node.Name + ".right";
        Add(new Node(name, Operator.Transpose, [value], [name], [NodeAttribute.Of("perm", order)]));
        return name;
    }

    // Positions of some rows: 64-bit integers that the host has anyway.
    private void Receive(string input, string positions)
    {
        _inputs.Add(new Value(input, OrtElementType.Int64, [1, input]));
        _renamed.Add(positions, input);
    }

    private bool IsOnlyDividedBy(string value) =>
        !_source.Outputs.Any(output => output.Name == value) && _source.Nodes.All(reader => reader.Operator == Operator.Reciprocal || !reader.Inputs.Contains(value));

    private bool IsMultipliedTransposed(string value) => _source.Nodes.All(reader => !reader.Inputs.Contains(value)
        || (reader.Operator == Operator.FusedMatMul && reader.Inputs[1] == value && reader.Inputs[0] != value && reader.Attributes.Any(static attribute => attribute is { Name: "transB", Integer: 1 })));

    // The count is an integer of the host, which a kernel of the device cannot turn into a float: of so many zeros, each has an equal share of the softmax.
    private void OneOver(string count, string result)
    {
        string zeros = Node(Operator.Expand, $"{result}.zeros", [Scalar(0), count]);
        string shares = Node(Operator.Softmax, $"{result}.shares", [zeros], NodeAttribute.Of("axis", -1));
        Node(Operator.Slice, result, [shares, Integers(0), Integers(1), Integers(0)]);
    }

    // past[.. start] | rows | past[end ..], along the rows of the cache. Start and end are read by the host.
    private void PutTogether(Node node)
    {
        (string past, string rows, string start, string result) = (node.Inputs[0], node.Inputs[1], node.Inputs[2], node.Outputs[0]);
        if (_declared.Add(GraphNames.VisualEnd))
        {
            _inputs.Add(new Value(GraphNames.VisualEnd, OrtElementType.Int64, [1]));
        }

        (string before, string behind) = (result + ".before", result + ".behind");
        Add(new Node(before, Operator.Slice, [past, Integers(0), start, Integers(2)], [before], []));
        Add(new Node(behind, Operator.Slice, [past, GraphNames.VisualEnd, Integers(long.MaxValue), Integers(2)], [behind], []));
        Add(new Node(result, Operator.Concat, [before, rows, behind], [result], [NodeAttribute.Of("axis", 2)]));
    }

    private void Add(Node node)
    {
        node = node with { Inputs = [.. node.Inputs.Select(input => _renamed.GetValueOrDefault(input, input))] };
        _nodes.Add(node);
        foreach (string input in node.Inputs)
        {
            if (_weightsByName.TryGetValue(input, out WeightUse? weight) && _declared.Add(input))
            {
                _weights.Add(weight);
            }
        }

        foreach (string output in node.Outputs)
        {
            _ranks[output] = RankOf(node, output);
        }
    }

    private int RankOf(Node node, string output)
    {
        if (node.Operator == Operator.Reshape)
        {
            // A shape that is computed has a length that nobody asks for: what has one is an output.
            return (int)(_constants.FirstOrDefault(constant => constant.Name == node.Inputs[1])?.Shape[0] ?? 0);
        }

        if (node.Operator == Operator.Transpose)
        {
            return node.Attributes[0].Integers!.Length;
        }

        // Indices of two dimensions put two in the place of one.
        if (node.Operator == Operator.Gather)
        {
            return _ranks.GetValueOrDefault(node.Inputs[0]) + (_ranks.TryGetValue(node.Inputs[1], out int indices) ? indices : _constants.First(constant => constant.Name == node.Inputs[1]).Shape.Length) - 1;
        }

        // The caches that the attention hands on have the rank of those that it reads, all else that of its first input.
        string source = node.Operator == Operator.GroupQueryAttention && output != node.Outputs[0] ? node.Inputs[3] : node.Inputs[0];
        return _ranks.GetValueOrDefault(source);
    }

    private string Node(Operator operation, string name, string[] inputs, params NodeAttribute[] attributes)
    {
        Add(new Node(name, operation, inputs, [name], attributes));
        return name;
    }

    private string Integers(params ReadOnlySpan<long> numbers)
    {
        string name = "const." + string.Join('_', numbers.ToArray().Select(static number => number.ToString(CultureInfo.InvariantCulture)));
        if (!_constants.Exists(constant => constant.Name == name))
        {
            var data = new byte[numbers.Length * sizeof(long)];
            for (int i = 0; i < numbers.Length; i++)
            {
                BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(i * sizeof(long)), numbers[i]);
            }

            _constants.Add(new Constant(name, OrtElementType.Int64, [numbers.Length], data));
        }

        return name;
    }

    private string Scalar(float number)
    {
        string name = "const.f32." + number.ToString("R", CultureInfo.InvariantCulture);
        if (!_constants.Exists(constant => constant.Name == name))
        {
            var data = new byte[sizeof(float)];
            BinaryPrimitives.WriteSingleLittleEndian(data, number);
            _constants.Add(new Constant(name, OrtElementType.Float, [], data));
        }

        return name;
    }
}
