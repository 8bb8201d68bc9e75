using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Lowering;

/// <summary>Asks a device whether its attention over many rows is right.</summary>
/// <remarks>
/// ONNX Runtime 1.30's WebGPU kernel for 32 rows and more takes eight keys at a time and goes on by the size of a subgroup. Where a subgroup has four lanes, as in SwiftShader, it counts every
/// key twice: no error, and a wrong answer. Fewer rows go another way, which is right. GPUs have subgroups of 8 to 64.
/// </remarks>
internal static class AttentionProbe
{
    private const int Rows = 32;
    private const int Width = 8;

    /// <summary>True if the device computes what the CPU does in single precision, to a thousandth or to what 16 bits hold.</summary>
    public static bool IsExact(ExecutionProvider provider, DeviceMemory memory, OrtElementType rows = OrtElementType.Float)
    {
        float tolerance = rows switch { OrtElementType.Float => 1e-3f, OrtElementType.Float16 => 4e-3f, _ => 3e-2f };
        float[] expected = Run(CpuExecutionProvider.Instance, DeviceMemory.Host, OrtElementType.Float);
        float[] found = Run(provider, memory, rows);
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(MathF.Abs(expected[i] - found[i]) < tolerance))
            {
                return false;
            }
        }

        return true;
    }

    private static float[] Run(ExecutionProvider provider, DeviceMemory memory, OrtElementType type)
    {
        var graph = new GraphBuilder("attention.probe");
        string rows = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", Width);
        graph.Output(GraphNames.Y, graph.Node(Operator.MultiHeadAttention, "attention", [rows, rows, rows], NodeAttribute.Of("num_heads", 1)), OrtElementType.Float, 1, "n", Width);
        using OrtSessionOptions options = OrtSessionOptions.Create(provider);
        GraphModel model = graph.Build();
        model = type == OrtElementType.Float ? model : HalfLowering.Lower(model, type, hasLinearLayers: true);
        using OrtSession session = OrtSession.Create(model.Bytes, options);
        using var x = new DeviceTensor(memory, [1, Rows, Width], type);
        using var y = new DeviceTensor(memory, [1, Rows, Width], type);
        Span<float> values = x.Span<float>();
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = MathF.Sin(i);
        }

        x.Upload();
        using var binding = OrtBinding.Create(session);
        binding.BindInput("x\0"u8, x.Value);
        binding.BindOutput("y\0"u8, y.Value);
        session.Run(binding);
        y.MarkWritten();
        return y.Read<float>().ToArray();
    }
}
