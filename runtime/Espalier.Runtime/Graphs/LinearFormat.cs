using Espalier.OnnxRuntime;

namespace Espalier.Graphs;

/// <summary>The number format of the weights of linear layers: each format is one class that knows how to emit a linear layer.</summary>
internal abstract class LinearFormat
{
    /// <summary>Weights in single precision, used as the checkpoint stores them.</summary>
    public static LinearFormat Float32 { get; } = new Float32Linear();

    /// <summary>Emits <c>input · weightᵀ + bias</c>.</summary>
    /// <param name="graph">The graph that gets the nodes.</param>
    /// <param name="result">The name of the result; further values of the layer are named after it.</param>
    /// <param name="input">A value of shape […, <paramref name="inputWidth"/>]. What a format computes of it is named after it and shared by all layers that read it.</param>
    /// <param name="weight">The canonical name of the checkpoint's weight, shape [<paramref name="outputWidth"/>, <paramref name="inputWidth"/>]; a format that stores something else derives its names from it.</param>
    /// <param name="bias">The canonical name of the bias, shape [<paramref name="outputWidth"/>], or null.</param>
    /// <param name="inputWidth">Width of the input.</param>
    /// <param name="outputWidth">Width of the result.</param>
    /// <returns>The name of the value of shape […, <paramref name="outputWidth"/>].</returns>
    public abstract string Linear(GraphBuilder graph, string result, string input, string weight, string? bias, int inputWidth, int outputWidth);
}

/// <summary>Single precision: one multiplication that reads the checkpoint's [outputs, inputs] weight transposed, so no copy is made.</summary>
file sealed class Float32Linear : LinearFormat
{
    public override string Linear(GraphBuilder graph, string result, string input, string weight, string? bias, int inputWidth, int outputWidth)
    {
        string matrix = graph.Weight(weight, OrtElementType.Float, outputWidth, inputWidth);
        if (bias is null)
        {
            return graph.Node(Operator.FusedMatMul, result, [input, matrix], NodeAttribute.Of("transB", 1));
        }

        string product = graph.Node(Operator.FusedMatMul, $"{result}.product", [input, matrix], NodeAttribute.Of("transB", 1));
        return graph.Node(Operator.Add, result, [product, graph.Weight(bias, OrtElementType.Float, outputWidth)]);
    }
}
