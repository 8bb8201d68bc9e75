using Espalier.Graphs.Onnx;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Lowering;

/// <summary>How an operator of our graphs is computed where rows take 16 bits.</summary>
internal enum OperatorPrecision
{
    /// <summary>In 32 bits.</summary>
    Single,

    /// <summary>In 16 bits: it has a kernel for both kinds of them, which adds up in 32.</summary>
    Half,

    /// <summary>In 16 bits if one side is a weight, else in 32.</summary>
    Product,

    /// <summary>In 32 bits if one side has them, else in 16.</summary>
    Follows,

    /// <summary>Nothing is computed: what comes in goes out.</summary>
    Moves,
}

/// <summary>What half precision means for each operator, input and output of our graphs.</summary>
internal static class HalfOperators
{
    // A graph's inputs and outputs that hold rows of the model or of its cache. All others are scores, shares, pixels and logits.
    private static readonly HashSet<string> Rows = new(StringComparer.Ordinal)
    {
        GraphNames.X, GraphNames.Y, GraphNames.Normed, GraphNames.Visual, GraphNames.Text, GraphNames.Features,
        GraphNames.PastKey, GraphNames.PastValue, GraphNames.PresentKey, GraphNames.PresentValue, GraphNames.ScatteredKey, GraphNames.ScatteredValue, GraphNames.PrefixKey, GraphNames.PrefixValue,
    };

    private static readonly Dictionary<Operator, OperatorPrecision> Precisions = new()
    {
        [Operator.FusedMatMul] = OperatorPrecision.Product,
        [Operator.MatMul] = OperatorPrecision.Product,
        [Operator.Add] = OperatorPrecision.Follows,
        [Operator.Sub] = OperatorPrecision.Follows,
        [Operator.Mul] = OperatorPrecision.Follows,
        [Operator.GroupQueryAttention] = OperatorPrecision.Half,
        [Operator.MultiHeadAttention] = OperatorPrecision.Half,
        [Operator.RotaryEmbedding] = OperatorPrecision.Half,
        [Operator.QuickGelu] = OperatorPrecision.Half,
        [Operator.LayerNormalization] = OperatorPrecision.Half,
        [Operator.SimplifiedLayerNormalization] = OperatorPrecision.Half,
        [Operator.SkipSimplifiedLayerNormalization] = OperatorPrecision.Half,
        [Operator.Conv] = OperatorPrecision.Half,
        [Operator.Gelu] = OperatorPrecision.Half,
        [Operator.Concat] = OperatorPrecision.Moves,
        [Operator.Expand] = OperatorPrecision.Moves,
        [Operator.Gather] = OperatorPrecision.Moves,
        [Operator.Reshape] = OperatorPrecision.Moves,
        [Operator.Slice] = OperatorPrecision.Moves,
        [Operator.Split] = OperatorPrecision.Moves,
        [Operator.TensorScatter] = OperatorPrecision.Moves,
        [Operator.Transpose] = OperatorPrecision.Moves,
        [Operator.Trilu] = OperatorPrecision.Moves,
    };

    /// <summary>True if a graph's input or output of this name takes 16 bits.</summary>
    public static bool IsRows(string name) => Rows.Contains(name);

    /// <summary>How an operator is computed; in 32 bits if it is in no list.</summary>
    public static OperatorPrecision Of(Operator operation) => Precisions.GetValueOrDefault(operation);

    /// <summary>The type of an output that does not follow from the inputs; null for one that does.</summary>
    public static OrtElementType? OutputType(Node node, int output)
    {
        if (node.Operator == Operator.Cast)
        {
            return (OrtElementType)node.Attributes.First(static attribute => attribute.Name == "to").Integer!.Value;
        }

        return node.Operator == Operator.Shape || (node.Operator == Operator.TopK && output == 1) ? OrtElementType.Int64 : null;
    }
}
