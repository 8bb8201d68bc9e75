namespace Espalier.Graphs;

/// <summary>An ONNX operator and its domain; the list below is every operator that our graphs use.</summary>
/// <param name="Name">The operator type.</param>
/// <param name="Domain">The operator set; the empty name is ai.onnx.</param>
internal readonly record struct Operator(string Name, string Domain = "")
{
    /// <summary>The operator set of ONNX Runtime's own operators.</summary>
    public const string Microsoft = "com.microsoft";

    public static readonly Operator Abs = new("Abs");
    public static readonly Operator Add = new("Add");
    public static readonly Operator Cast = new("Cast");
    public static readonly Operator Concat = new("Concat");
    public static readonly Operator Conv = new("Conv");
    public static readonly Operator Expand = new("Expand");
    public static readonly Operator FusedMatMul = new("FusedMatMul", Microsoft);
    public static readonly Operator Gather = new("Gather");
    public static readonly Operator Gelu = new("Gelu");
    public static readonly Operator GroupQueryAttention = new("GroupQueryAttention", Microsoft);
    public static readonly Operator LayerNormalization = new("LayerNormalization");
    public static readonly Operator MatMul = new("MatMul");
    public static readonly Operator MatMulIntegerToFloat = new("MatMulIntegerToFloat", Microsoft);
    public static readonly Operator MatMulNBits = new("MatMulNBits", Microsoft);
    public static readonly Operator Max = new("Max");
    public static readonly Operator Mul = new("Mul");
    public static readonly Operator MultiHeadAttention = new("MultiHeadAttention", Microsoft);
    public static readonly Operator Neg = new("Neg");
    public static readonly Operator QuantizeLinear = new("QuantizeLinear");
    public static readonly Operator QuickGelu = new("QuickGelu", Microsoft);
    public static readonly Operator Reciprocal = new("Reciprocal");
    public static readonly Operator ReduceL1 = new("ReduceL1");
    public static readonly Operator ReduceMax = new("ReduceMax");
    public static readonly Operator ReduceMean = new("ReduceMean");
    public static readonly Operator ReduceMin = new("ReduceMin");
    public static readonly Operator Reshape = new("Reshape");
    public static readonly Operator Shape = new("Shape");
    public static readonly Operator Slice = new("Slice");
    public static readonly Operator Softmax = new("Softmax");
    public static readonly Operator Split = new("Split");
    public static readonly Operator Sqrt = new("Sqrt");
    public static readonly Operator Sub = new("Sub");
    public static readonly Operator TopK = new("TopK");
    public static readonly Operator TensorScatter = new("TensorScatter");
    public static readonly Operator Transpose = new("Transpose");
    public static readonly Operator Trilu = new("Trilu");

    // ai.onnx, not com.microsoft: on CUDA the latter is fused into GroupQueryAttention, which assumes contiguous positions.
    public static readonly Operator RotaryEmbedding = new("RotaryEmbedding");

    // ONNX Runtime registers these two in different sets.
    public static readonly Operator SimplifiedLayerNormalization = new("SimplifiedLayerNormalization");
    public static readonly Operator SkipSimplifiedLayerNormalization = new("SkipSimplifiedLayerNormalization", Microsoft);
}
