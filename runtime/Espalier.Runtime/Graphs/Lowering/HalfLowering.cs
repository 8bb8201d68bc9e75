using Espalier.Graphs.Onnx;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Lowering;

/// <summary>Rewrites a graph in single precision into half precision: weights of linear layers, rows, and the KV cache take 16 bits.</summary>
/// <remarks>
/// <para>What ranks, mixes or selects rows stays in 32 bits: products of activations with each other, every softmax that is spelled out, means, norms of keys, shares, gates; logits are cast behind the head. The norms of a
/// layer take 16 bits in and out; their kernels add up in 32.</para>
/// <para>A value gets a <c>Cast</c> where its two sides differ, one for all readers. A decoder layer that is run as a whole needs none. Used once a graph.</para>
/// </remarks>
internal sealed class HalfLowering
{
    private readonly GraphParts _source;
    private readonly OrtElementType _half;
    private readonly bool _hasLinearLayers;
    private readonly List<Node> _nodes = [];
    private readonly List<WeightUse> _weights = [];
    private readonly Dictionary<string, OrtElementType> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WeightUse> _weightsByName;
    private readonly HashSet<string> _ofWeights = new(StringComparer.Ordinal);
    private readonly HashSet<string> _declared = new(StringComparer.Ordinal);

    private HalfLowering(GraphParts source, OrtElementType half, bool hasLinearLayers)
    {
        _source = source;
        _half = half;
        _hasLinearLayers = hasLinearLayers;
        _weightsByName = source.Weights.ToDictionary(static use => use.Name, StringComparer.Ordinal);
        foreach (Constant constant in source.Constants)
        {
            _types.Add(constant.Name, constant.Type);
        }
    }

    /// <summary>The graph in half precision.</summary>
    /// <param name="graph">The graph, with weights in single precision alone.</param>
    /// <param name="half">What 16 bits mean.</param>
    /// <param name="hasLinearLayers">False for a graph that only moves, mixes or judges rows: it computes in 32 bits, between rows of 16.</param>
    public static GraphModel Lower(GraphModel graph, OrtElementType half, bool hasLinearLayers) =>
        new HalfLowering(graph.Parts, half, hasLinearLayers).Lower();

    private GraphModel Lower()
    {
        var inputs = new List<Value>();
        foreach (Value input in _source.Inputs)
        {
            Value lowered = Lower(input);
            inputs.Add(lowered);
            _types.Add(lowered.Name, lowered.Type);
        }

        foreach (Node node in _source.Nodes)
        {
            Add(node);
        }

        Value[] outputs = [.. _source.Outputs.Select(Lower)];
        foreach (Value output in outputs)
        {
            Finish(output);
        }

        return new GraphModel(_source with { Nodes = _nodes, Weights = _weights, Inputs = inputs, Outputs = outputs });
    }

    private Value Lower(Value value) => value.Type == OrtElementType.Float && HalfOperators.IsRows(value.Name) ? value with { Type = _half } : value;

    private void Add(Node node)
    {
        bool isFloat = node.Inputs.Any(IsFloat);
        OrtElementType type = !isFloat ? default : HalfOperators.Of(node.Operator) switch
        {
            OperatorPrecision.Single => OrtElementType.Float,
            OperatorPrecision.Moves => TypeOfMoved(node),
            OperatorPrecision.Follows => node.Inputs.Any(input => IsFloat(input) && !_weightsByName.ContainsKey(input) && _types[input] == OrtElementType.Float) ? OrtElementType.Float : Computed,
            OperatorPrecision.Product => node.Inputs.Any(input => _weightsByName.ContainsKey(input) || _ofWeights.Contains(input)) ? Computed : OrtElementType.Float,
            _ => Computed,
        };

        string[] inputs = [.. node.Inputs.Select(input => IsFloat(input) ? As(input, type) : input)];
        _nodes.Add(node with { Inputs = inputs });
        if (HalfOperators.Of(node.Operator) == OperatorPrecision.Moves && (_weightsByName.ContainsKey(node.Inputs[0]) || _ofWeights.Contains(node.Inputs[0])))
        {
            _ofWeights.Add(node.Outputs[0]);
        }

        for (int i = 0; i < node.Outputs.Length; i++)
        {
            if (node.Outputs[i].Length > 0)
            {
                _types[node.Outputs[i]] = HalfOperators.OutputType(node, i) ?? (isFloat ? type : _types.GetValueOrDefault(node.Inputs[0], OrtElementType.Int64));
            }
        }
    }

    /// <summary>The type of a linear layer of this graph.</summary>
    private OrtElementType Computed => _hasLinearLayers ? _half : OrtElementType.Float;

    // What is moved keeps its type. Where two types come together, the rows of a model do.
    private OrtElementType TypeOfMoved(Node node)
    {
        OrtElementType? found = null;
        foreach (string input in node.Inputs)
        {
            if (!IsFloat(input) || _weightsByName.ContainsKey(input))
            {
                continue;
            }

            OrtElementType type = _types[input];
            found = found is null || found == type ? type : Computed;
        }

        return found ?? Computed;
    }

    private bool IsFloat(string value) => value.Length > 0
        && (_weightsByName.ContainsKey(value) || (_types.TryGetValue(value, out OrtElementType type) && (type == OrtElementType.Float || type == _half)));

    /// <summary>The name of a value in a type.</summary>
    private string As(string value, OrtElementType type)
    {
        if (_weightsByName.TryGetValue(value, out WeightUse? weight))
        {
            return Declare(type == _half ? weight.Rounded(_half) : weight);
        }

        if (_types[value] == type)
        {
            return value;
        }

        string cast = value + (type == OrtElementType.Float ? ".single" : ".half");
        if (_types.TryAdd(cast, type))
        {
            _nodes.Add(Cast(value, cast, type));
        }

        return cast;
    }

    private string Declare(WeightUse weight)
    {
        if (_declared.Add(weight.Name))
        {
            _weights.Add(weight);
        }

        return weight.Name;
    }

    // An output that was computed in the other type keeps its name behind a cast; whoever reads it inside the graph reads what was computed.
    private void Finish(Value output)
    {
        if (_types[output.Name] == output.Type)
        {
            return;
        }

        string computed = output.Name + ".computed";
        foreach (Node node in _nodes)
        {
            node.Inputs.AsSpan().Replace(output.Name, computed);
        }

        int maker = _nodes.FindIndex(node => node.Outputs.Contains(output.Name, StringComparer.Ordinal));
        _nodes[maker] = _nodes[maker] with { Outputs = [.. _nodes[maker].Outputs.Select(name => name == output.Name ? computed : name)] };
        _nodes.Add(Cast(computed, output.Name, output.Type));
    }

    private static Node Cast(string source, string result, OrtElementType type) => new(result, Operator.Cast, [source], [result], [NodeAttribute.Of("to", (long)type)]);
}
