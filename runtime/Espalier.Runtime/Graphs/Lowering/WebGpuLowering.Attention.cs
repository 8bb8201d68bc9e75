using Espalier.Graphs.Onnx;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Lowering;

/// <content>Attention as products, a softmax and products again, for a device whose kernel for it is wrong.</content>
internal sealed partial class WebGpuLowering
{
    private void AttendInTower(Node node)
    {
        (string query, string key, string value, string result) = (node.Inputs[0], node.Inputs[1], node.Inputs[2], node.Outputs[0]);
        long heads = Integer(node, "num_heads");

        // A linear layer with a bias made the queries: its length is their width.
        long width = _weightsByName[_source.Nodes.First(maker => maker.Outputs[0] == query).Inputs[1]].Shape[0];
        string probabilities = Softmax(result, Product(result, Heads(query, heads), Heads(key, heads), 1f / MathF.Sqrt(width / (float)heads)));
        string mixed = Node(Operator.MatMul, $"{result}.mixed", [probabilities, Heads(value, heads)]);
        Rows(mixed, result, width);
    }

    // The operator still writes the new keys and values into the cache, which it does right; what it makes of them is not read.
    private void AttendInDecoder(Node node)
    {
        string result = node.Outputs[0];
        Add(node with { Name = $"{node.Name}.cache", Outputs = [$"{result}.unused", node.Outputs[1], node.Outputs[2]] });
        (long heads, long keyHeads) = (Integer(node, "num_heads"), Integer(node, "kv_num_heads"));
        long headDim = _inputs.First(static input => input.Name == GraphNames.PastKey).Shape[3].Length;
        if (!_inputs.Exists(static input => input.Name == GraphNames.KeyRows))
        {
            _inputs.Add(new Value(GraphNames.KeyRows, OrtElementType.Int64, [1]));
        }

        // Heads that share a key head lie one below the other, as rows of one product.
        string query = Node(Operator.Reshape, $"{result}.query", [Heads(node.Inputs[0], heads), Integers(1, keyHeads, -1, headDim)]);
        string keys = Node(Operator.Slice, $"{result}.keys", [node.Outputs[1], Integers(0), GraphNames.KeyRows, Integers(2)]);
        string values = Node(Operator.Slice, $"{result}.values", [node.Outputs[2], Integers(0), GraphNames.KeyRows, Integers(2)]);
        string products = Node(Operator.Reshape, $"{result}.heads", [Product(result, query, keys, 1f / MathF.Sqrt(headDim)), Integers(1, heads, -1, 0)]);
        string masked = Node(Operator.Add, $"{result}.masked", [products, Mask(result, node.Inputs[0])]);
        string probabilities = Node(Operator.Reshape, $"{result}.grouped", [Softmax(result, masked), Integers(1, keyHeads, -1, 0)]);
        string mixed = Node(Operator.MatMul, $"{result}.mixed", [probabilities, values]);
        Rows(Node(Operator.Reshape, $"{result}.apart", [mixed, Integers(1, heads, -1, headDim)]), result, heads * headDim);
    }

    // Row i of n may read the keys up to key_rows - n + i: above that diagonal minus infinity, elsewhere zero.
    private string Mask(string result, string query)
    {
        string rows = Node(Operator.Shape, $"{result}.rows", [query], NodeAttribute.Of("start", 1), NodeAttribute.Of("end", 2));
        string size = Node(Operator.Concat, $"{result}.mask.size", [rows, GraphNames.KeyRows], NodeAttribute.Of("axis", 0));
        string infinite = Node(Operator.Expand, $"{result}.mask.infinite", [Scalar(float.NegativeInfinity), size]);
        string last = Node(Operator.Sub, $"{result}.mask.last", [GraphNames.KeyRows, rows]);
        string diagonal = Node(Operator.Add, $"{result}.mask.diagonal", [last, Integers(1)]);
        return Node(Operator.Trilu, $"{result}.mask", [infinite, diagonal], NodeAttribute.Of("upper", 1));
    }

    private string Product(string result, string query, string key, float scale)
    {
        string transposed = Node(Operator.Transpose, $"{result}.right", [key], NodeAttribute.Of("perm", 0, 1, 3, 2));
        return Node(Operator.Mul, $"{result}.products", [Node(Operator.MatMul, $"{result}.unscaled", [query, transposed]), Scalar(scale)]);
    }

    private string Softmax(string result, string products) => Node(Operator.Softmax, $"{result}.probabilities", [products], NodeAttribute.Of("axis", -1));

    // [1, n, heads · D] to [1, heads, n, D].
    private string Heads(string rows, long heads)
    {
        string split = Node(Operator.Reshape, $"{rows}.attended.split", [rows, Integers(0, 0, heads, -1)]);
        return Node(Operator.Transpose, $"{rows}.attended", [split], NodeAttribute.Of("perm", 0, 2, 1, 3));
    }

    // And back.
    private void Rows(string heads, string result, long width)
    {
        string rows = Node(Operator.Transpose, $"{result}.split", [heads], NodeAttribute.Of("perm", 0, 2, 1, 3));
        Node(Operator.Reshape, result, [rows, Integers(1, -1, width)]);
    }

    private static long Integer(Node node, string attribute) => node.Attributes.First(known => known.Name == attribute).Integer!.Value;
}
