using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Onnx;

/// <summary>A node: an operator applied to named values.</summary>
/// <param name="Name">The name, for messages of the library.</param>
/// <param name="Operator">The operator.</param>
/// <param name="Inputs">The values that it reads; an empty name is an absent optional input.</param>
/// <param name="Outputs">The values that it computes; an empty name is an output that nobody needs.</param>
/// <param name="Attributes">The attributes.</param>
internal sealed record Node(string Name, Operator Operator, string[] Inputs, string[] Outputs, NodeAttribute[] Attributes);

/// <summary>An input or output of the graph.</summary>
internal sealed record Value(string Name, OrtElementType Type, Dimension[] Shape);

/// <summary>An initializer whose elements are in the graph.</summary>
/// <param name="Name">The name of the value.</param>
/// <param name="Type">The type of the elements.</param>
/// <param name="Shape">The shape; empty for a scalar.</param>
/// <param name="Data">The elements, little-endian.</param>
internal sealed record Constant(string Name, OrtElementType Type, long[] Shape, byte[] Data);
